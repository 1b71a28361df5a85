"""What a pod runs: the tasks of the stages fetch, render and assemble.

In: an API URL and a key in the environment, and the assignment that the API answers a claim with.
Out: uploads and a task result, both sent to the API, and an exit code.
"""
