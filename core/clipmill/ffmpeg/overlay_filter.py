"""Overlay rendered layers on a picture. Each layer is an input of its own, exact to the frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from clipmill.protocol import Layer, LayerWindow

# The picture is BT.709 in limited range. Layers are converted before the two are combined.
_LAYER_FORMAT = "scale=out_color_matrix=bt709:out_range=tv,format=yuva420p"


class RenderedLayer(NamedTuple):
    """A layer as a transparent PNG, and the position of its corner in even pixels."""

    path: str
    x: int
    y: int


class LayerInput(NamedTuple):
    """A layer, its image, and the number of the input that reads the image."""

    layer: Layer
    rendered: RenderedLayer
    number: int


def image_input(rendered: RenderedLayer) -> tuple[str, ...]:
    """Return the input arguments of a layer: a single picture, its demuxer forced."""
    return ("-f", "png_pipe", "-protocol_whitelist", "file", "-i", f"file:{rendered.path}")


def overlay_chains(
    inputs: Sequence[LayerInput], *, frames: int, rate: int, pad: str, label: str
) -> list[str]:
    """Return the filter chains that overlay the layers in turn.

    Args:
        inputs: The layers, the lowest first.
        frames: Length of the segment.
        rate: Frames per second.
        pad: Pad of the graph that delivers the picture.
        label: Label of the output pad; also the prefix of all inner labels.
    """
    graph: list[str] = []
    for i, layer_input in enumerate(inputs):
        window, rendered = layer_input.layer.window, layer_input.rendered
        end = label if i + 1 == len(inputs) else f"{label}l{i}"
        image, position = f"{label}i{i}", f"x={rendered.x}:y={rendered.y}:format=yuv420"
        enabled = "" if window is None else _enabled(window, frames)
        graph += [
            f"[{layer_input.number}:v:0]{_LAYER_FORMAT}{_faded(window, frames, rate)}[{image}]",
            f"[{pad}][{image}]overlay={position}{enabled}[{end}]",
        ]
        pad = end
    return graph


def _visible_span(window: LayerWindow, frames: int) -> tuple[int, int]:
    """Return the frames of the segment in which the layer is visible, the last one exclusive."""
    return max(0, window.at), min(frames, window.at + window.frames)


def _enabled(window: LayerWindow, frames: int) -> str:
    first, end = _visible_span(window, frames)
    return f":enable='between(n,{first},{end - 1})'"


def _faded(window: LayerWindow | None, frames: int, rate: int) -> str:
    """Repeat the image for the frames in which it is visible, and fade its alpha in and out."""
    if window is None or window.fade == 0:
        return ""
    first, end = _visible_span(window, frames)
    skipped = first - window.at
    repeated = f"loop=loop={skipped + end - first}:size=1,settb=1/{rate},setpts=N"
    fades = (
        f"fade=t=in:start_frame=0:nb_frames={window.fade}:alpha=1",
        f"fade=t=out:start_frame={window.frames - window.fade}:nb_frames={window.fade}:alpha=1",
        f"trim=start_frame={skipped}:end_frame={skipped + end - first}",
        f"setpts=PTS-STARTPTS+{first}",
    )
    return ",".join(("", repeated, *fades))
