"""The operator of Compilations.

In: watch events of Compilations, Jobs and pods, and plans of the Clipmill API. Out: Jobs, Secrets,
NetworkPolicies, events, and the status of each Compilation. It stores nothing of its own.
"""
