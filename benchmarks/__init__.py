"""Benchmarks. Each figure is a ratio against a named alternative in the same run: see README.md."""
