"""The files that accompany a finished video.

In: the record of a result (what plays when). Out: chapters, credits, storyboard cues and the
result manifest, as text and JSON documents.
"""
