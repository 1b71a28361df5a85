"""The commands: each parses its options, calls an API or the local runner, and prints the result.

A command's docstring is its help text; indented lines in it are examples.
"""
