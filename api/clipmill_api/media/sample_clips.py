"""Three synthetic clips, for a first compilation without internet access or a library.

With CLIPMILL_SAMPLES they are served under /samples/ without a key, and encoded on first use.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from fastapi import APIRouter
from fastapi.responses import Response

from clipmill_api.http.problem_details import not_found

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.filter import Graph
    from av.video.frame import VideoFrame

router = APIRouter(prefix="/samples", include_in_schema=False)
DURATION_S = 3
FRAME_RATE = 30
SIZE = (640, 360)
SAMPLE_RATE = 48_000
SAMPLES_PER_AAC_FRAME = 1024


class SampleClip(NamedTuple):
    """A video source of ffmpeg, and a tone in Hz."""

    video_source: str
    tone_hz: int


SAMPLES = {
    "bars": SampleClip("smptehdbars", 440),
    "clock": SampleClip("testsrc2", 660),
    "fractal": SampleClip("mandelbrot", 550),
}


@router.get("/{name}.mp4")
def get_sample_clip(name: str) -> Response:
    """Return a clip of 3 s."""
    if name not in SAMPLES:
        raise not_found(f"sample (one of {', '.join(SAMPLES)})", name)
    return Response(encode_sample(name), media_type="video/mp4")


@lru_cache
def encode_sample(name: str) -> bytes:
    """Return a sample clip as an MP4 file."""
    import av  # noqa: PLC0415  without samples the API itself opens no media

    clip = SAMPLES[name]
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        video = container.add_stream("libx264", rate=FRAME_RATE, options={"preset": "veryfast"})
        video.width, video.height = SIZE
        audio = container.add_stream("aac", rate=SAMPLE_RATE, layout="stereo")
        for picture in _video_frames(clip.video_source):
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
        for sound in _audio_frames(clip.tone_hz):
            container.mux(audio.encode(sound))
        container.mux(audio.encode(None))
    return file.getvalue()


def _video_frames(source: str) -> Iterator[VideoFrame]:
    options = f"size={'x'.join(map(str, SIZE))}:rate={FRAME_RATE}"
    graph = _filter_chain((source, options), ("format", "yuv420p"), ("buffersink", ""))
    for _ in range(DURATION_S * FRAME_RATE):
        yield graph.vpull()


def _audio_frames(tone_hz: int) -> Iterator[AudioFrame]:
    from av.audio.frame import AudioFrame  # noqa: PLC0415

    sine = (
        f"frequency={tone_hz}:sample_rate={SAMPLE_RATE}:samples_per_frame={SAMPLES_PER_AAC_FRAME}"
    )
    aformat = ("aformat", "sample_fmts=fltp:channel_layouts=stereo")
    graph = _filter_chain(("sine", sine), aformat, ("abuffersink", ""))
    for _ in range(DURATION_S * SAMPLE_RATE // SAMPLES_PER_AAC_FRAME):
        frame = graph.pull()
        assert isinstance(frame, AudioFrame)
        yield frame


def _filter_chain(*filters: tuple[str, str]) -> Graph:
    """Return a graph of filters, linked from a source to a sink."""
    from av.filter import Graph  # noqa: PLC0415

    graph = Graph()
    nodes = [graph.add(name, options) if options else graph.add(name) for name, options in filters]
    for node, next_node in pairwise(nodes):
        node.link_to(next_node)
    graph.configure()
    return graph
