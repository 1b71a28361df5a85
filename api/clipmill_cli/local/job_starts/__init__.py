"""Ways to start the jobs of a local run sooner: forked, and before the stage before is over.

In: a function that starts a job, or its arguments and environment. Out: processes.
"""
