"""Rendering without a cluster: the API in this process, jobs as child processes.

In: a manifest file and a state folder. Out: finished videos, their companion files and report.json.
"""
