"""Loudness of a whole file by ffmpeg's EBU R128 meter, in process."""

from __future__ import annotations

import av.logging
from av.audio.frame import AudioFrame
from av.error import BlockingIOError as NotYet
from av.error import EOFError as Drained
from av.filter import Graph

from clipmill.ffmpeg.ebur128 import SILENCE, Level, level_of


class Meter:
    """Takes frames of any layout and measures them as the renderer will play them."""

    def __init__(self) -> None:
        self._graph: Graph | None = None

    def push(self, frame: AudioFrame) -> None:
        """Feed one frame; the first decides the form."""
        if self._graph is None:
            self._graph = _graph(frame)
        self._graph.push(frame)
        self._drain(self._graph)

    def finish(self) -> Level:
        """Integrated loudness and true peak; none for silence and for less than 0.4 s."""
        if self._graph is None:
            return SILENCE
        self._graph.push(None)
        self._drain(self._graph)
        return level_of(self._free())

    @staticmethod
    def _drain(graph: Graph) -> None:
        while True:
            try:
                graph.pull()
            except (NotYet, Drained):
                return

    def _free(self) -> str:
        """PyAV shows no frame metadata; the meter writes its summary when it is freed."""
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
