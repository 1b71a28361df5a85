"""Import from and export to OpenTimelineIO.

In: an OTIO timeline, or a manifest with its plan. Out: the other of the two.
"""
