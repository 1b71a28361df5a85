"""SQL of what connects owners to other services: credentials, and webhooks with their outbox.

In: a session. Out: rows.
"""
