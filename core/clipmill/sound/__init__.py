"""The sound of a whole output: its levels, and the stretches in which it is encoded.

In: levels that ffmpeg has measured, an output's segments. Out: loudness, ranges and their keys.
"""
