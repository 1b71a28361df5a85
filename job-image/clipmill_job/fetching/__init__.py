"""The fetch task: yt-dlp in a guarded process.

In: one clip's URL and limits. Out: a validated media file and a thumbnail of it, uploaded.
"""
