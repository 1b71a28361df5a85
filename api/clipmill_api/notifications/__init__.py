"""Notifications of owners, delivered to webhooks from an outbox.

In: events, in the transaction of the change that they report. Out: signed HTTP requests, and
messages to chats and mail, with a log of deliveries.
"""
