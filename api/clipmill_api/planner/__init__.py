"""Large plans are made in a process of their own, so that the API answers others meanwhile.

In: calls that read the database and plan. Out: JSON, or the refusal of the call.
"""
