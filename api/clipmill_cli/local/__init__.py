"""A run without a cluster: manifest files, an API in this process, jobs as child processes.

In: a manifest file. Out: finished videos and report.json.
"""
