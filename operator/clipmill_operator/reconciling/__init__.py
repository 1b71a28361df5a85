"""One reconcile of one resource: observe, ask the API, decide, apply.

In: a resource's key. Out: applied objects, a status, events and the time of the next reconcile.
"""
