"""Arguments for ffmpeg. Nothing in this package runs a program.

In: segments, profiles, music and loudness measurements. Out: tuples of ffmpeg arguments.
"""
