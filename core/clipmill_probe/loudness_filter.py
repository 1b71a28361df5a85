"""Measure loudness by ffmpeg's EBU R128 filter, in process.

The filter's values are read from the metadata of its frames, not from its log: PyAV's log takes the
interpreter's lock in whichever thread logs. A thread that frees a decoder holds that lock while it
waits for the decoder's threads, so that both would wait for ever if one of these logs.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import isfinite, log10

from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.error import BlockingIOError as FilterNeedsInput
from av.filter import Graph

from clipmill.ffmpeg.ebur128 import SILENCE, SILENCE_LUFS, Loudness
from clipmill.timeline.loudness_blocks import ABSOLUTE_GATE_LUFS, HOP_MS, integrated_loudness

# As the renderer plays.
SAMPLE_RATE = 48_000
# The meter reports every 100 ms; its first three windows of 400 ms are not full yet.
INCOMPLETE_BLOCKS = 3
REPORT_SAMPLES = SAMPLE_RATE * HOP_MS // 1000
# The filter gives peaks as factors with three decimals: louder by this they have five.
GAIN_DB = 40


class LoudnessMeter:
    """Measures audio frames of any layout as the renderer plays them: 48 kHz stereo."""

    def __init__(self) -> None:
        self._graph: Graph | None = None
        self._form: object = None
        self._resampler = _resampler()
        self._momentary: list[float] = []
        self._late_blocks = 0
        self._samples = 0
        self._peak = 0.0

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
        for frame in frames:
            # Without gaps: the meter counts samples.
            frame.pts = None
            self._samples += frame.samples
            graph.push(frame)
        self._drain(graph)

    def _drain(self, graph: Graph) -> None:
        while True:
            try:
                metadata = graph.pull().metadata
            except FilterNeedsInput:
                return
            level = float(metadata["lavfi.r128.M"]) - GAIN_DB
            # Of digital silence after sound the filter's sums may be negative: not a number.
            self._momentary.append(level if isfinite(level) else ABSOLUTE_GATE_LUFS)
            self._peak = float(metadata["lavfi.r128.true_peak"])

    def finish(self) -> Loudness:
        """Return loudness and true peak; both None for silence and for less than 0.4 s."""
        if self._graph is None:
            return SILENCE
        self._measure(self._graph, self._rest())
        if missing := -self._samples % REPORT_SAMPLES:
            # The peak of an incomplete report counts, its level does not.
            self._measure(self._graph, [_silence(missing)])
            del self._momentary[-1]
        self._graph = None
        lufs = integrated_loudness(self._momentary[INCOMPLETE_BLOCKS:])
        if lufs is None or lufs < SILENCE_LUFS:
            return SILENCE
        return Loudness(round(lufs, 1), round(20 * log10(self._peak) - GAIN_DB, 1))

    def blocks(self) -> list[float]:
        """Return the level of each block of 400 ms in LUFS, ten a second, after `finish`."""
        silent = [ABSOLUTE_GATE_LUFS] * self._late_blocks
        return silent + self._momentary[INCOMPLETE_BLOCKS:]


def _resampler() -> AudioResampler:
    return AudioResampler(format="dbl", layout="stereo", rate=SAMPLE_RATE)


def _graph() -> Graph:
    graph = Graph()
    source = graph.add_abuffer(
        sample_rate=SAMPLE_RATE, format="dbl", layout="stereo", time_base=Fraction(1, SAMPLE_RATE)
    )
    graph.link_nodes(
        source,
        graph.add("volume", f"{GAIN_DB}dB:precision=double"),
        graph.add("ebur128", "peak=true:metadata=true:framelog=quiet"),
        graph.add("abuffersink"),
    ).configure()
    return graph


def _silence(samples: int) -> AudioFrame:
    frame = AudioFrame(format="dbl", layout="stereo", samples=samples)
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    frame.sample_rate = SAMPLE_RATE
    return frame
