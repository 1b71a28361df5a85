"""Media: uploads, their inspection and publication, downloads, and retention.

In: streams of bytes. Out: verified media files, segments, and ranges of them.
"""
