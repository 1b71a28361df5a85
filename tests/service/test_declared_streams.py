"""A rendered file that is opened without decoding has the same packets and the same header."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import pytest
from av.container import InputContainer

import clipmaker
from clipmill.ffmpeg.segment_args import segment_args
from clipmill.protocol import Profile, Segment, SourceRange
from clipmill_job.assembling.declared_streams import open_declared

SOURCE = {"media_id": "m-12345678", "sha256": "", "format": "mov", "has_audio": True, "start": 0}


@pytest.fixture(scope="module", params=["libx264", "libvpx-vp9"])
def segment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A segment of moving pictures with B-frames, or of VP9."""
    folder = tmp_path_factory.mktemp("segments")
    source = clipmaker.clip(folder / "source.mp4", seconds=2, rate="30")
    profile = Profile(
        width=160,
        height=90,
        rate=30,
        crf=28,
        speed="fast",
        max_bitrate=10**6,
        encoder=request.param,
    )
    played = SourceRange.model_validate(SOURCE | {"frames": 45})
    rendered = Segment(key="0" * 64, sources=[played], profile=profile)
    clipmaker.ffmpeg(*segment_args(rendered, [str(source)], str(folder / "segment.mov")))
    return folder / "segment.mov"


def packets(container: InputContainer) -> list[tuple[Any, ...]]:
    """Return everything that a join copies."""
    return [
        (p.stream.index, p.pts, p.dts, p.duration, p.time_base, p.is_keyframe, bytes(p))
        for p in container.demux()
    ]


def header(container: InputContainer) -> tuple[Any, ...]:
    """Return what files are compared by, except the range of colours."""
    stream = container.streams.video[0]
    context = stream.codec_context
    tags = (context.colorspace, context.color_primaries, context.color_trc)
    return context.extradata, stream.time_base, stream.frames, tags


def test_nothing_depends_on_a_decoded_picture(segment: Path) -> None:
    """Neither packets nor header."""
    with av.open(str(segment)) as decoded, open_declared(segment) as declared:
        assert header(declared) == header(decoded)
        assert packets(declared) == packets(decoded)
