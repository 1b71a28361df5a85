"""Compilations: submission, registration, planning and life cycle.

In: specs from people and from the operator. Out: plans, refusals and the state of each revision.
"""
