"""Decide how the pictures of a source are read, from the facts of its file."""

from __future__ import annotations

from clipmill.protocol import MediaFacts, PictureTraits

# The default decoders of these codecs leave their alpha out.
ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}


def source_traits(facts: MediaFacts) -> PictureTraits:
    """Return the traits of a file's video stream."""
    decoder = ALPHA_DECODERS.get(facts.video_codec or "") if facts.has_alpha else None
    return PictureTraits(
        decoder=decoder,
        interlaced=facts.field_order is not None,
        has_alpha=facts.has_alpha,
        changes_shape=facts.changes_shape,
    )
