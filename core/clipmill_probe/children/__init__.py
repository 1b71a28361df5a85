"""Child processes that read untrusted files.

In: arguments of `python -m clipmill_probe`. Out: what it prints, and its exit code.
"""
