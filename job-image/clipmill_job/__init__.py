"""What a pod runs: fetch, render, assemble. Knows an API URL and a key, and nothing else."""
