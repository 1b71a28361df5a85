"""Three small made clips, so that a first compilation needs neither the internet nor a library.

Served without a key under /samples/ where CLIPMILL_SAMPLES is set; drawn when first asked for.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

import av
from av.audio.frame import AudioFrame
from av.filter import Graph
from av.video.frame import VideoFrame
from fastapi import APIRouter
from fastapi.responses import Response

from clipmill_api.http.problem_details import not_found

router = APIRouter(prefix="/samples", include_in_schema=False)
SECONDS = 3
RATE = 30
SIZE = (640, 360)
SOUND_RATE = 48_000
AAC_FRAME = 1024
"""Samples of one frame of AAC."""
SAMPLES = {"bars": ("smptehdbars", 440), "clock": ("testsrc2", 660), "fractal": ("mandelbrot", 550)}
"""By name: the source of the picture, and the tone in Hz."""


@router.get("/{name}.mp4")
def sample(name: str) -> Response:
    """A clip of 3 s with a picture and a tone of its own."""
    if name not in SAMPLES:
        raise not_found("sample", f"{name} (there are {', '.join(SAMPLES)})")
    return Response(drawn(name), media_type="video/mp4")


@lru_cache
def drawn(name: str) -> bytes:
    """The clip's bytes."""
    picture, tone = SAMPLES[name]
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as clip:
        video = clip.add_stream("libx264", rate=RATE, options={"preset": "veryfast"})
        video.width, video.height = SIZE
        audio = clip.add_stream("aac", rate=SOUND_RATE, layout="stereo")
        for shown in _pictures(picture):
            clip.mux(video.encode(shown))
        clip.mux(video.encode(None))
        for heard in _sounds(tone):
            clip.mux(audio.encode(heard))
        clip.mux(audio.encode(None))
    return file.getvalue()


def _pictures(source: str) -> Iterator[VideoFrame]:
    size = "x".join(map(str, SIZE))
    graph = _chain((source, f"size={size}:rate={RATE}"), ("format", "yuv420p"), ("buffersink", ""))
    for _ in range(SECONDS * RATE):
        yield graph.vpull()


def _sounds(hertz: int) -> Iterator[AudioFrame]:
    tone = f"frequency={hertz}:sample_rate={SOUND_RATE}:samples_per_frame={AAC_FRAME}"
    form = ("aformat", "sample_fmts=fltp:channel_layouts=stereo")
    graph = _chain(("sine", tone), form, ("abuffersink", ""))
    for _ in range(SECONDS * SOUND_RATE // AAC_FRAME):
        frame = graph.pull()
        assert isinstance(frame, AudioFrame)
        yield frame


def _chain(*filters: tuple[str, str]) -> Graph:
    """Filters that feed one another, from a source to a sink."""
    graph = Graph()
    made = [graph.add(name, options) if options else graph.add(name) for name, options in filters]
    for one, next_one in pairwise(made):
        one.link_to(next_one)
    graph.configure()
    return graph
