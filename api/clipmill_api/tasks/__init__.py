"""Tasks of jobs: leases, heartbeats, assignments and results.

In: calls of pods with a job key. Out: assignments, directives and the outcome of each task.
"""
