"""The fifteen worker endpoints of the migration guide, with their routes and models.

In: a job's key and the guide's request bodies. Out: the guide's replies, read from the same plan
that renders. docs/migration.md lists the endpoints.
"""
