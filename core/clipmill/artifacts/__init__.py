"""The files that accompany a finished video.

In: the record of a result (what plays when). Out: text, cue lists and JSON documents.
"""
