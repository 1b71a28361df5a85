"""The render task: encode segments by ffmpeg, a few at a time.

In: segments and their source files. Out: rendered segments, uploaded.
"""
