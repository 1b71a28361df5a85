"""Drawn layers over a picture: each image an input of its own, exact to the frame. Runs nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from clipmill.protocol import Layer, LayerWindow

# The picture is BT.709 in TV range: what is laid over it has to be, before the two meet.
_DRAWN = "scale=out_color_matrix=bt709:out_range=tv,format=yuva420p"


class RenderedLayer(NamedTuple):
    """A layer as a PNG with transparency, and where its corner lies (even pixels)."""

    path: str
    x: int
    y: int


class LayerInput(NamedTuple):
    """A layer, its drawing, and the number of the input that reads it."""

    layer: Layer
    drawn: RenderedLayer
    number: int


def image_input(drawn: RenderedLayer) -> tuple[str, ...]:
    """One input: a single picture, demuxer forced."""
    return ("-f", "png_pipe", "-protocol_whitelist", "file", "-i", f"file:{drawn.path}")


def overlay_chains(
    opened: Sequence[LayerInput], *, frames: int, rate: int, source: str, label: str
) -> list[str]:
    """Filter chains that lay the layers over `source` in turn, to `label`."""
    graph: list[str] = []
    for i, one in enumerate(opened):
        over = label if i + 1 == len(opened) else f"{label}l{i}"
        image, place = f"{label}i{i}", f"x={one.drawn.x}:y={one.drawn.y}:format=yuv420"
        when = "" if one.layer.window is None else _when(one.layer.window, frames)
        graph += [
            f"[{one.number}:v:0]{_DRAWN}{_fading(one.layer.window, frames, rate)}[{image}]",
            f"[{source}][{image}]overlay={place}{when}[{over}]",
        ]
        source = over
    return graph


def _span(window: LayerWindow, frames: int) -> tuple[int, int]:
    """First and last+1 frame of the segment in which it is seen."""
    return max(0, window.at), min(frames, window.at + window.frames)


def _when(window: LayerWindow, frames: int) -> str:
    first, end = _span(window, frames)
    return f":enable='between(n,{first},{end - 1})'"


def _fading(window: LayerWindow | None, frames: int, rate: int) -> str:
    """The still repeated for the frames in which it is seen, its alpha rising and falling."""
    if window is None or window.fade == 0:
        return ""
    first, end = _span(window, frames)
    skipped = first - window.at
    repeated = f"loop=loop={skipped + end - first}:size=1,settb=1/{rate},setpts=N"
    fades = (
        f"fade=t=in:start_frame=0:nb_frames={window.fade}:alpha=1",
        f"fade=t=out:start_frame={window.frames - window.fade}:nb_frames={window.fade}:alpha=1",
        f"trim=start_frame={skipped}:end_frame={skipped + end - first}",
        f"setpts=PTS-STARTPTS+{first}",
    )
    return ",".join(("", repeated, *fades))
