"""Delivery of finished videos to buckets of their owners, from an outbox.

In: the outputs of a generation, in the transaction of its end. Out: signed requests to a bucket,
and a summary of how far the delivery is.
"""
