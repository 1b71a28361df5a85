"""Compilations: submission, registration, planning and the life cycle of their revisions.

In: specs from users and from the operator. Out: plans, refusals and the state of each revision.
"""
