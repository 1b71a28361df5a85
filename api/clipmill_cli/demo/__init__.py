"""The demo: clips made on the spot, served, fetched and rendered.

In: nothing. Out: a folder with clips, manifests and finished videos.
"""
