"""The fetch task: yt-dlp in a guarded process.

In: one clip's URL and limits. Out: a checked media file, uploaded.
"""
