"""The commands: each parses its options, calls a client or the local runner, and prints."""
