"""Queues in which Compilations wait for their pods: the operator's own, and those of Kueue.

In: plans, observed Jobs and Workloads, recent usage of owners. Out: who may create Jobs, and why
the others wait.
"""
