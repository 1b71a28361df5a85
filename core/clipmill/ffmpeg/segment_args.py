"""Build the arguments with which ffmpeg renders exactly the frames and samples of a segment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from clipmill.ffmpeg.encoding import FRAME_PROPERTIES, TICKS, encoding_args
from clipmill.ffmpeg.level_meter import LevelFiles, meter_chains
from clipmill.ffmpeg.overlay_filter import LayerInput, RenderedLayer, image_input, overlay_chains
from clipmill.ffmpeg.segment_inputs import (
    SourceOpening,
    audio_chains,
    placeholder_chains,
    seek_s,
    source_inputs,
    video_chains,
)
from clipmill.protocol import Profile, Segment, SourceRange
from clipmill.spec import AUDIO_RATE, Curve

GLOBAL = ("-nostdin", "-hide_banner", "-nostats", "-loglevel", "warning", "-y")
CURVES = {
    Curve.EQUAL_POWER: "qsin",
    Curve.LINEAR: "tri",
    Curve.SMOOTH: "hsin",
    Curve.EXPONENTIAL: "exp",
}


class SegmentTarget(NamedTuple):
    """A segment to render.

    Attributes:
        segment: The segment.
        paths: The file of each source range, None for a placeholder.
        out: Path of the rendered segment.
        rendered: The image of each layer, in the order of `segment.layers()`.
        levels: Where to write the levels of its sound.
    """

    segment: Segment
    paths: Sequence[str | None]
    out: str
    rendered: Sequence[RenderedLayer] = ()
    levels: LevelFiles | None = None


class SegmentCommand:
    """One ffmpeg command: sources are opened, then each output uses their pads.

    An opened source has the pads `v` and `a` with its name, for picture and sound.
    """

    def __init__(self) -> None:
        self.graph: list[str] = []
        # Number by arguments: equal inputs are opened and decoded once.
        self._inputs: dict[tuple[str, ...], int] = {}
        self._conversions: list[tuple[str, ...]] = []
        self._outputs: list[str] = []

    def open_source(
        self, source: SourceRange, path: str | None, profile: Profile, name: str
    ) -> None:
        """Open a source range; `path` is None for a placeholder."""
        if path is None:
            self.graph += placeholder_chains(source, profile, name)
            return
        numbers = [self._open(each) for each in source_inputs(source, path, profile.rate)]
        opening = SourceOpening(name, video=numbers[0], audio=numbers[-1])
        self.graph += video_chains(source, profile, opening, self._conversions)
        self.graph += audio_chains(source, profile.rate, opening, self._conversions)

    def add_segment(self, target: SegmentTarget, *, name: str) -> None:
        """Open the sources of a segment and add its output; `name` is the prefix of its labels."""
        names = [f"{name}{i}" for i in range(len(target.segment.sources))]
        for source, path, label in zip(target.segment.sources, target.paths, names, strict=True):
            self.open_source(source, path, target.segment.profile, label)
        self.add_output(target, names, prefix=name)

    def add_output(self, target: SegmentTarget, names: Sequence[str], *, prefix: str) -> None:
        """Add the output of a segment.

        Args:
            target: The segment.
            names: Names of its opened sources.
            prefix: Prefix of the labels of this output.
        """
        layers = [
            LayerInput(layer, image, self._open(image_input(image)))
            for layer, image in zip(target.segment.layers(), target.rendered, strict=True)
        ]
        video, audio = _combine(target.segment, layers, self.graph, names, prefix)
        if target.levels:
            heard = f"{prefix}heard"
            self.graph += meter_chains(f"[{audio}]", target.levels, label=heard)
            audio = heard
        self.graph.append(f"[{video}]{FRAME_PROPERTIES}[{prefix}video]")
        encoding = encoding_args(target.segment.profile, target.segment.frames)
        mapped = ("-map", f"[{prefix}video]", "-map", f"[{audio}]")
        self._outputs += [*mapped, *encoding, f"file:{target.out}"]

    def args(self) -> tuple[str, ...]:
        """Return the arguments after the program's name."""
        converted = [argument for conversion in self._conversions for argument in conversion]
        graph = ("-filter_complex", ";".join(self.graph))
        inputs = [argument for each in self._inputs for argument in each]
        return (*GLOBAL, *inputs, *converted, *graph, *self._outputs)

    def _open(self, arguments: tuple[str, ...]) -> int:
        return self._inputs.setdefault(arguments, len(self._inputs))


def segment_args(
    segment: Segment,
    paths: Sequence[str | None],
    out: str,
    rendered: Sequence[RenderedLayer] = (),
    levels: LevelFiles | None = None,
) -> tuple[str, ...]:
    """Return the arguments that render a segment; they are those of a `SegmentTarget`."""
    command = SegmentCommand()
    command.add_segment(SegmentTarget(segment, paths, out, rendered, levels), name="p")
    return command.args()


def _combine(
    segment: Segment,
    layers: Sequence[LayerInput],
    graph: list[str],
    names: Sequence[str],
    prefix: str,
) -> tuple[str, str]:
    """Append layers, transition and watermark to the graph; return the labels of its outputs."""
    length = {"frames": segment.frames, "rate": segment.profile.rate}
    videos, used = [], 0
    for source, name in zip(segment.sources, names, strict=True):
        own = layers[used : used + len(source.layers)]
        graph += overlay_chains(own, **length, pad=f"v{name}", label=f"c{name}")
        videos.append(f"c{name}" if own else f"v{name}")
        used += len(own)
    video, audio = videos[0], f"a{names[0]}"
    if len(segment.sources) == 2:
        graph += _transition(segment, videos, [f"a{name}" for name in names], prefix)
        video, audio = f"{prefix}v", f"{prefix}a"
    if segment.watermark:
        marked = f"{prefix}marked"
        graph += overlay_chains(layers[used:], **length, pad=video, label=marked)
        video = marked
    return video, audio


def _transition(
    segment: Segment, videos: Sequence[str], audios: Sequence[str], prefix: str
) -> list[str]:
    """Return the chains from the first source to the second, over all frames of the segment."""
    frames, rate = segment.frames, segment.profile.rate
    # ffmpeg names the transitions as we do, in lower case.
    name = segment.transition.lower()
    samples = frames * AUDIO_RATE // rate
    fade = f"ss=0:ns={samples}:curve={CURVES[segment.curve]}"
    return [
        f"[{videos[0]}][{videos[1]}]xfade=transition={name}:duration={frames / rate:.6f}:offset=0"
        f",format=yuv420p[{prefix}v]",
        f"[{audios[0]}]afade=t=out:{fade}[{prefix}out]",
        f"[{audios[1]}]afade=t=in:{fade}[{prefix}in]",
        f"[{prefix}out][{prefix}in]amix=inputs=2:normalize=0,atrim=end_sample={samples}[{prefix}a]",
    ]


__all__ = [
    "CURVES",
    "GLOBAL",
    "TICKS",
    "RenderedLayer",
    "SegmentCommand",
    "SegmentTarget",
    "seek_s",
    "segment_args",
]
