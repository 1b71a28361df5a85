"""Measure loudness by ffmpeg's EBU R128 filter, in process."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Self

import av.logging
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.error import BlockingIOError as FilterNeedsInput
from av.error import EOFError as FilterDrained
from av.filter import Graph

from clipmill.ffmpeg.ebur128 import SILENCE, Loudness, parse_loudness
from clipmill.timeline.loudness_blocks import ABSOLUTE_GATE_LUFS, HOP_MS

# As the renderer plays.
SAMPLE_RATE = 48_000
# The meter reports every 100 ms; its first three windows of 400 ms are not full yet.
INCOMPLETE_BLOCKS = 3
_MOMENTARY = re.compile(r"\bM: *(-?[0-9.]+)")


class LoudnessMeter:
    """Measures audio frames of any layout as the renderer plays them: 48 kHz stereo."""

    def __init__(self) -> None:
        self._graph: Graph | None = None
        self._form: object = None
        self._resampler = _resampler()
        self._momentary: list[float] = []
        self._late_blocks = 0

    def push(self, frame: AudioFrame, *, at_s: Fraction = Fraction(0)) -> None:
        """Feed one frame; rate, format and layout may change between frames.

        Args:
            frame: Decoded samples.
            at_s: Position of the frame in the file; used of the first one only.
        """
        if self._graph is None:
            self._graph = _graph()
            self._late_blocks = max(0, round(at_s * 1000 / HOP_MS))
        form = (frame.sample_rate, frame.format.name, frame.layout.name)
        if form != self._form:
            self._measure(self._graph, self._rest())
            self._form, self._resampler = form, _resampler()
        self._measure(self._graph, self._resampler.resample(frame))

    def _rest(self) -> list[AudioFrame]:
        """Return what the resampler still holds of the form before."""
        return self._resampler.resample(None) if self._form else []

    def _measure(self, graph: Graph, frames: Sequence[AudioFrame]) -> None:
        with _FilterLog() as log:
            for frame in frames:
                # Without gaps: the meter counts samples.
                frame.pts = None
                graph.push(frame)
            self._drain(graph)
        self._momentary += _momentary_levels(log.text)

    def finish(self) -> Loudness:
        """Return loudness and true peak; both None for silence and for less than 0.4 s."""
        if self._graph is None:
            return SILENCE
        self._measure(self._graph, self._rest())
        with _FilterLog() as log:
            self._graph.push(None)
            self._drain(self._graph)
        self._momentary += _momentary_levels(log.text)
        # The filter logs its summary when it is freed.
        with _FilterLog() as log:
            self._graph = None
        return parse_loudness(log.text)

    def blocks(self) -> list[float]:
        """Return the level of each block of 400 ms in LUFS, ten a second, after `finish`."""
        silent = [ABSOLUTE_GATE_LUFS] * self._late_blocks
        return silent + self._momentary[INCOMPLETE_BLOCKS:]

    @staticmethod
    def _drain(graph: Graph) -> None:
        while True:
            try:
                graph.pull()
            except (FilterNeedsInput, FilterDrained):
                return


class _FilterLog:
    """Collects what filters log, since PyAV exposes no frame metadata."""

    text = ""

    def __enter__(self) -> Self:
        self._level = av.logging.get_level()
        av.logging.set_level(av.logging.INFO)
        self._capture = av.logging.Capture()
        self._lines = self._capture.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._capture.__exit__(None, None, None)
        av.logging.set_level(self._level)
        self.text = "".join(text for _, _, text in self._lines)


def _momentary_levels(log: str) -> list[float]:
    return [float(level) for level in _MOMENTARY.findall(log)]


def _resampler() -> AudioResampler:
    return AudioResampler(format="dbl", layout="stereo", rate=SAMPLE_RATE)


def _graph() -> Graph:
    graph = Graph()
    source = graph.add_abuffer(
        sample_rate=SAMPLE_RATE, format="dbl", layout="stereo", time_base=Fraction(1, SAMPLE_RATE)
    )
    graph.link_nodes(
        source,
        graph.add("ebur128", "peak=true:framelog=info"),
        graph.add("abuffersink"),
    ).configure()
    return graph
