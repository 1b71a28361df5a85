"""Builders of the objects that the operator creates, and of the CustomResourceDefinition. Pure.

In: a revision (one generation of a Compilation) and the settings. Out: Jobs, Secrets,
NetworkPolicies and the CRD as plain dicts, and the models of a Compilation's status.
"""
