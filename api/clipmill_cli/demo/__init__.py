"""The demo: generates clips, serves them on this machine, fetches and renders them.

In: the name of a folder. Out: the folder with clips, manifests and finished videos.
"""
