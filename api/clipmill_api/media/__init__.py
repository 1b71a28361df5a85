"""Media bytes and their rows: uploads, downloads, publication and retention.

In: streams of bytes. Out: verified media files, segments and ranges of them.
"""
