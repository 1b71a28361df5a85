"""Show a still image or a title card for the length of a range, with an optional slow zoom."""

from __future__ import annotations

from clipmill.ffmpeg.framing import framing_chains
from clipmill.protocol import Profile, SourceRange, StillPicture

# The zoom moves by whole pixels of an enlarged picture, so that it does not tremble.
ZOOM_SCALE = 4
MAX_ZOOM_SIDE = 7680


def still_chains(profile: Profile, source: SourceRange, *, pad: str, label: str) -> list[str]:
    """Return the chains that frame an image once and repeat it for the range.

    Args:
        profile: Encoding of the output, with its size and rate.
        source: The source range, with its framing.
        pad: Input pad of the graph that delivers the image.
        label: Label of the output pad; also the prefix of all inner labels.
    """
    framed = framing_chains(profile, source, pad=pad, before="trim=end_frame=1", label=f"{label}s")
    shown = _repeated(profile, source)
    if source.still and source.still.zoom:
        shown = _zoomed(profile, source, source.still)
    return [*framed, f"[{label}s]trim=end_frame=1,{shown}[{label}]"]


def card_chain(profile: Profile, source: SourceRange, still: StillPicture, label: str) -> str:
    """Return the chain of a title card."""
    color = (still.color or "#000000").replace("#", "0x")
    size = f"s={profile.width}x{profile.height}:r={profile.rate}"
    # Converted from RGB: the source's own conversion to YUV is that of BT.601.
    converted = "format=gbrp,scale=out_color_matrix=bt709:out_range=tv,setsar=1,format=yuv420p"
    shown = _repeated(profile, source)
    return f"color=c={color}:{size},trim=end_frame=1,{converted},{shown}[{label}]"


def _repeated(profile: Profile, source: SourceRange) -> str:
    return f"loop=loop={source.frames - 1}:size=1,settb=1/{profile.rate},setpts=N"


def _zoomed(profile: Profile, source: SourceRange, still: StillPicture) -> str:
    width, height = profile.size
    scale = max(1, min(ZOOM_SCALE, MAX_ZOOM_SIDE // max(width, height)))
    last = max(1, still.frames - 1)
    zoom = f"1+{still.zoom / 100}*(on+{source.start})/{last}"
    middle = "x='(iw-iw/zoom)/2':y='(ih-ih/zoom)/2'"
    moved = f"zoompan=z='{zoom}':{middle}:d={source.frames}:s={width}x{height}:fps={profile.rate}"
    times = f"settb=1/{profile.rate},setpts=N"
    return f"scale=iw*{scale}:ih*{scale},format=yuv444p,{moved},format=yuv420p,setsar=1,{times}"
