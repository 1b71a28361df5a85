"""The command line `clipmill`, the local runner and the demo.

In: arguments, environment variables and manifest files. Out: calls of an API, finished videos,
tables or JSON on stdout, progress and errors on stderr, and an exit code.
"""
