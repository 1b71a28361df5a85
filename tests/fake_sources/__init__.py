"""Stand-ins for Twitch, Discord, feeds and lists, by the standard library only.

In: requests as the public services take them. Out: responses of the same form: pages, rate limits,
refusals, and the limit of Twitch on the results of a query. `python -m fake_sources` serves them.
"""
