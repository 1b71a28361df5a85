"""Watches, polls and resyncs, and the work queue that they fill.

In: watch events of the cluster. Out: keys of resources to reconcile.
"""
