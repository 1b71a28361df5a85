"""What a pod runs: fetch, render and assemble tasks. Knows an API URL and a key, nothing else."""
