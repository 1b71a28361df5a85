"""Captions, creator cards and images, rendered to transparent images.

In: the layers of a segment. Out: PNG files and their place in the frame.
"""
