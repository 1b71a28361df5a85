"""The command line `clipmill`, the local runner and the demo."""
