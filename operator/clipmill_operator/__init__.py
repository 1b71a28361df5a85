"""The operator of Compilations and Shows.

In: watch events of Compilations, Shows, Jobs and pods, and plans of the Clipmill API. Out: Jobs,
Secrets, NetworkPolicies, events, and the status of each resource. It stores nothing of its own.
"""
