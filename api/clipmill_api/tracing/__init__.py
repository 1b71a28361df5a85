"""Traces of revisions, from submission to result. Off unless a collector is set.

In: what the API did for a revision and when, and the spans that pods report. Out: finished spans.
"""
