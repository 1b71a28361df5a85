"""Credentials of owners, encrypted at rest.

In: values as an owner gives them. Out: decrypted models, for tasks of that owner only.
"""
