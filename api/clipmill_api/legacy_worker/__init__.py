"""The fifteen worker endpoints of the migration guide, with their models.

In: a key and the guide's request bodies. Out: the guide's replies, answered from the real plan.
"""
