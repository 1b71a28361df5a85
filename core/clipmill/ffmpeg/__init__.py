"""Arguments for ffmpeg. Nothing here runs a program.

In: segments, profiles and loudness measurements. Out: tuples of ffmpeg arguments.
"""
