"""SQL of shows and episodes.

In: a session. Out: rows of shows, episodes, reports and used clips.
"""
