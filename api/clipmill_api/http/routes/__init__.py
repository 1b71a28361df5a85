"""Routes by caller: people, their media and uploads, jobs, the operator, the administrator.

In: authenticated requests. Out: calls of the service packages, and their results.
"""
