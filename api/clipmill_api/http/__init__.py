"""The HTTP surface: application, routes, authentication, limits, problem details and paging.

In: requests. Out: calls of the service packages and their replies as JSON.
"""
