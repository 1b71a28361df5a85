"""Bodies of requests that are not JSON: forms with a file, YAML, streams of bytes.

In: requests. Out: the file of a form, JSON, chunks of bytes.
"""
