"""The HTTP surface: application, routes, authentication, limits, problem details, pages, metrics.

In: requests. Out: calls of the service packages, and their results as JSON.
"""
