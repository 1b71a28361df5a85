"""The import from the predecessor's database and storage folder.

In: rows of its PostgreSQL, its media files. Out: tiers, users, media and usage by the API's
administrator calls, a manifest for each project, and a report about every row.
"""
