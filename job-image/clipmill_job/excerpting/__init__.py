"""Fetch excerpts of long sources: HLS fragments, or byte ranges of indexed files.

In: the formats that yt-dlp chose, and the spans that are played. Out: a file of each part, with its
place in the source. Bytes are fetched by the guarded downloader's process; a limited process
without URLs reads them and copies the packets.
"""
