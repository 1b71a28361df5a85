"""Text, cards and images as transparent pictures.

In: the layers of a segment. Out: image files and their place in the frame.
"""
