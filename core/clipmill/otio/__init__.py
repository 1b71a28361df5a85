"""Import from and export to OpenTimelineIO.

In: an OTIO document, or the record of a result with its timeline. Out: a manifest, or an OTIO
document.
"""
