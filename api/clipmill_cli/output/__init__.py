"""What the terminal shows: tables, progress, and errors as lines with an exit code.

In: models of the protocol, and exceptions. Out: text on stdout and stderr.
"""
