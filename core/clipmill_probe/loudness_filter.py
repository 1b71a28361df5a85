"""Measure loudness by ffmpeg's EBU R128 filter, in process."""

from __future__ import annotations

import av.logging
from av.audio.frame import AudioFrame
from av.error import BlockingIOError as FilterNeedsInput
from av.error import EOFError as FilterDrained
from av.filter import Graph

from clipmill.ffmpeg.ebur128 import SILENCE, Loudness, parse_loudness


class LoudnessMeter:
    """Measures audio frames of any layout as the renderer plays them: 48 kHz stereo."""

    def __init__(self) -> None:
        self._graph: Graph | None = None

    def push(self, frame: AudioFrame) -> None:
        """Feed one frame; the first one decides rate, format and layout."""
        if self._graph is None:
            self._graph = _graph(frame)
        self._graph.push(frame)
        self._drain(self._graph)

    def finish(self) -> Loudness:
        """Return loudness and true peak; both None for silence and for less than 0.4 s."""
        if self._graph is None:
            return SILENCE
        self._graph.push(None)
        self._drain(self._graph)
        return parse_loudness(self._summary())

    @staticmethod
    def _drain(graph: Graph) -> None:
        while True:
            try:
                graph.pull()
            except (FilterNeedsInput, FilterDrained):
                return

    def _summary(self) -> str:
        # PyAV exposes no frame metadata; the filter logs its summary when it is freed.
        before = av.logging.get_level()
        av.logging.set_level(av.logging.INFO)
        try:
            with av.logging.Capture() as lines:
                self._graph = None
        finally:
            av.logging.set_level(before)
        return "".join(text for _, _, text in lines)


def _graph(frame: AudioFrame) -> Graph:
    graph = Graph()
    source = graph.add_abuffer(
        sample_rate=frame.sample_rate,
        format=frame.format.name,
        layout=frame.layout.name,
        time_base=frame.time_base,
    )
    graph.link_nodes(
        source,
        graph.add("aresample", "48000"),
        graph.add("aformat", "channel_layouts=stereo"),
        graph.add("ebur128", "peak=true:framelog=quiet"),
        graph.add("abuffersink"),
    ).configure()
    return graph
