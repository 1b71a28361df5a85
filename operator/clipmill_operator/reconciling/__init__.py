"""One reconcile of one Compilation: read the cache, request the plan, decide, act.

In: the key of a Compilation. Out: created and deleted objects, reports to the API, a status, and
events. `decide`, `status`, `conditions`, `events`, `ownership` and `admission_queue` are pure.
"""
