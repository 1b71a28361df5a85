"""Objects that the operator creates, and the CustomResourceDefinition. Pure.

In: a plan and the settings. Out: Jobs, Secrets, NetworkPolicies and the CRD as dicts.
"""
