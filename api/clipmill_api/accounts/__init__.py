"""What an owner's tier and the installation allow.

In: an owner's name. Out: its output policy, and reservations of render time and storage.
"""
