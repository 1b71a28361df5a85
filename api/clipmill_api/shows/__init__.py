"""Shows: when episodes start, what they play, and how they end.

In: specs of shows, the time, results of discover tasks, states of compilations. Out: episodes,
submissions of their compilations, and views of shows.
"""
