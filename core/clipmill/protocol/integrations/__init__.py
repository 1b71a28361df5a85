"""What connects an owner to other services: credentials, and webhooks.

In: JSON between clients and the API. Out: validated, frozen models; secrets are hidden in their
text form, and are written to JSON only where a caller needs them.
"""
