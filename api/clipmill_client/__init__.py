"""The SDK: a typed HTTP client, transfers and errors. Imports neither server nor command line."""
