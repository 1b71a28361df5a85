"""Observation of the cluster and of the API, and the work queue that both fill.

In: watch events, lists of objects, progress and submissions of the API. Out: the cache of observed
objects, and keys of Compilations to reconcile. The control loop takes the keys and reconciles.
"""
