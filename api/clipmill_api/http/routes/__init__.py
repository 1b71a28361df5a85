"""The routes, one module per group of callers. Each delegates to a service module."""
