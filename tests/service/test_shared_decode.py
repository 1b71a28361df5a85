"""Several segments from one decode: the same frames and samples as from one decode each."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from PIL import Image as Picture

import clipmaker
from clipmill.ffmpeg.segment_args import RenderedLayer, SegmentTarget, segment_args
from clipmill.ffmpeg.shared_decode import is_pair, render_units, unit_args
from clipmill.protocol import (
    Framing,
    Image,
    Layer,
    LayerWindow,
    PictureTraits,
    Profile,
    Segment,
    SourceRange,
)
from clipmill.spec import Fit, TransitionType
from clipmill.timeline.build import subrange
from clipmill_job.errors import SegmentsFailed
from clipmill_job.ffmpeg_binary import find_ffmpeg
from clipmill_job.rendering.segment_rendering import RenderProgress, render_segments
from clipmill_job.task_context import TaskContext
from clipmill_probe import probe_media

PROFILE = Profile(width=320, height=180, rate=30, crf=19, speed="veryfast", max_bitrate=4_000_000)
OVERLAP = 12
IMAGE = Image(media_id="m-logo", sha256="1" * 64)
LOGO = Layer(image=IMAGE)
# Fades out while the transition runs.
CARD = Layer(image=IMAGE, window=LayerWindow(at=10, frames=25, fade=6))
CASES: dict[str, tuple[str, int, dict[str, Any], dict[str, Any]]] = {
    "whole": ("clip.mp4", 0, {}, {}),
    "trimmed": ("clip.mp4", 37, {"rate": "24000/1001", "extra": ("-preset", "medium")}, {}),
    "matroska": ("clip.mkv", 40, {"rate": "60", "sound": "sine=f=330:r=44100"}, {}),
    "transport stream": ("clip.ts", 40, {}, {}),
    "silent": ("clip.mp4", 33, {"sound": None}, {}),
    "interlaced": (
        "clip.mp4",
        35,
        {"extra": ("-vf", "tinterlace=interleave_top,fieldorder=tff", "-flags", "+ildct+ilme")},
        {"traits": PictureTraits(interlaced=True)},
    ),
    "blurred": ("clip.mp4", 20, {"size": "180x320"}, {"framing": Framing(fit=Fit.CONTAIN_BLUR)}),
}


def source(path: Path, start: int, frames: int, **more: Any) -> SourceRange:
    """Return a range of a file."""
    facts = probe_media(path)
    known = {"format": facts.format, "has_audio": facts.audio_codec is not None}
    size = {"width": facts.width, "height": facts.height}
    layers = more.pop("layers", [])
    return SourceRange(
        media_id=f"m-{path.stem}",
        sha256="0",
        start=start,
        frames=frames,
        layers=layers,
        **known,
        **size,
        **more,
    )


def pair(first: SourceRange, second: SourceRange) -> tuple[Segment, Segment]:
    """Return the body of an item and its transition into the next one."""
    length = first.frames - OVERLAP
    body = subrange(first, offset=0, frames=length)
    tail = subrange(first, offset=length, frames=OVERLAP)
    head = subrange(second, offset=0, frames=OVERLAP)
    fade = Segment(
        key="2" * 64, sources=[tail, head], transition=TransitionType.FADE, profile=PROFILE
    )
    return Segment(key="1" * 64, sources=[body], profile=PROFILE), fade


def in_profile(segment: Segment, changes: dict[str, Any]) -> Segment:
    """Return the segment in another size."""
    profile = segment.profile.model_copy(update=changes)
    return segment.model_copy(update={"profile": profile, "key": segment.key[::-1][:-1] + "a"})


def decoded(path: str) -> list[bytes]:
    """Return a hash of each decoded frame, and one of all samples."""
    reading = (find_ffmpeg().path, "-v", "error", "-i", path, "-fps_mode", "passthrough")
    return [
        subprocess.run(
            [*reading, "-map", stream, "-f", form, "-"], capture_output=True, check=True
        ).stdout
        for stream, form in (("0:v", "framemd5"), ("0:a", "md5"))
    ]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_same_frames_and_samples(case: Any, tmp_path: Path) -> None:
    """Bit for bit, with a logo over everything and a card that fades out in the transition."""
    name, start, options, more = case
    path = clipmaker.clip(tmp_path / name, seconds=4, **options)
    other = clipmaker.clip(tmp_path / "other.mp4", seconds=2, rate="25")
    logo = tmp_path / "logo.png"
    Picture.new("RGBA", (40, 20), (255, 0, 0, 160)).save(logo)
    layers = {"layers": [CARD, LOGO]}
    body, fade = pair(source(path, start, 45, **layers, **more), source(other, 5, 30, **layers))
    assert is_pair(body, fade)
    tall = {"width": 90, "height": 160, "rate": 30, "crf": 23}
    segments = [body, fade, *(in_profile(each, tall) for each in (body, fade))]
    assert render_units(segments) == [tuple(segments)]
    paths = {"m-clip": str(path), "m-other": str(other)}

    def target(i: int, suffix: str) -> SegmentTarget:
        files = [paths[str(part.media_id)] for part in segments[i].sources]
        images = [RenderedLayer(str(logo), 20, 10) for _ in segments[i].layers()]
        return SegmentTarget(segments[i], files, str(tmp_path / f"{i}{suffix}.mov"), images)

    alone = [target(i, "") for i in range(4)]
    together = [target(i, "-shared") for i in range(4)]
    for each in alone:
        clipmaker.ffmpeg(*segment_args(*each))
    args = unit_args(together)
    assert len([each for each in args if each == f"file:{path}"]) <= 2
    clipmaker.ffmpeg(*args)
    for one, two in zip(alone, together, strict=True):
        assert len(clipmaker.frames(Path(one.out))) == one.segment.frames
        assert decoded(two.out) == decoded(one.out)


FIRST = SourceRange(
    media_id="m-clip", sha256="0", format="mov", has_audio=True, start=30, frames=60
)
OTHERS: dict[str, Callable[[SourceRange], SourceRange]] = {
    "another file": lambda tail: tail.model_copy(update={"sha256": "1"}),
    "a gap": lambda tail: tail.model_copy(update={"start": tail.start + 1}),
    "another gain": lambda tail: tail.model_copy(update={"gain_mb": 5}),
    "sound from a later key frame": lambda tail: tail.model_copy(update={"start": 20_000}),
}


@pytest.mark.parametrize("change", OTHERS.values(), ids=OTHERS)
def test_no_pair(change: Callable[[SourceRange], SourceRange]) -> None:
    """Only what continues the body in the same file, read in the same way, is decoded with it."""
    body, fade = pair(FIRST, FIRST)
    tail, head = fade.sources
    other = fade.model_copy(update={"sources": [change(tail), head]})
    assert render_units([body, fade]) == [(body, fade)]
    assert render_units([body, other]) == [(body,), (other,)]
    assert render_units([fade, body]) == [(fade,), (body,)]


class Client:
    """Serves files of a folder as media."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.uploaded: list[str] = []

    def upload(self, path: Path, request: Any) -> None:
        self.uploaded.append(request.segment_key)

    def download_media(self, media_id: str, path: Path) -> None:
        shutil.copy(self._folder / f"{media_id}.mp4", path)


class Task:
    """A render task of some segments, and the commands that it has run."""

    index, epoch, assemble = 0, 1, None

    def __init__(
        self, folder: Path, segments: Sequence[Segment], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.render, self.client, self.commands = list(segments), Client(folder), 0
        heartbeat: Any = type("Heartbeat", (), {"report": lambda *_: None, "check": lambda _: None})
        run_ffmpeg = TaskContext.run_ffmpeg

        def counted(context: TaskContext, *args: Any, **options: Any) -> list[str]:
            self.commands += 1
            return run_ffmpeg(context, *args, **options)

        monkeypatch.setattr(TaskContext, "run_ffmpeg", counted)
        scratch = folder / "scratch"
        scratch.mkdir()
        self.context = TaskContext(
            client=cast(Any, self.client),
            assignment=cast(Any, self),
            heartbeat=heartbeat(),
            scratch=scratch,
            ffmpeg=find_ffmpeg(),
        )

    def run(self) -> dict[str, Path]:
        """Render everything; return the files by key."""
        files: dict[str, Path] = {}
        progress = RenderProgress(self.context.heartbeat, self.render, share=100)
        render_segments(
            self.context,
            self.render,
            then=lambda segment, path: files.update({segment.key: path}),
            progress=progress,
        )
        return files


@pytest.fixture
def segments(tmp_path: Path) -> list[Segment]:
    """Return the segments of two clips with a crossfade between them."""
    ranges = [
        source(clipmaker.clip(tmp_path / f"{name}.mp4"), 10, 40) for name in ("first", "second")
    ]
    for name in ("first", "second"):
        (tmp_path / f"{name}.mp4").rename(tmp_path / f"m-{name}.mp4")
    last = subrange(ranges[1], offset=OVERLAP, frames=28)
    return [*pair(*ranges), Segment(key="3" * 64, sources=[last], profile=PROFILE)]


def test_a_pair_is_one_command(
    segments: list[Segment], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three segments take two commands; each is uploaded under its own key."""
    task = Task(tmp_path, segments, monkeypatch)
    files = task.run()
    assert task.commands == 2
    assert sorted(task.client.uploaded) == [segment.key for segment in segments]
    assert [len(clipmaker.frames(files[s.key])) for s in segments] == [28, 12, 28]


def test_only_the_transition_fails_with_the_second_clip(
    segments: list[Segment], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pair that fails is rendered one by one: the body does not depend on the next clip."""
    (tmp_path / "m-second.mp4").write_bytes(b"no video")
    task = Task(tmp_path, segments, monkeypatch)
    with pytest.raises(SegmentsFailed) as caught:
        task.run()
    failed = sorted(failure.segment.key for failure in caught.value.failures)
    assert failed == [segments[1].key, segments[2].key]
    assert task.client.uploaded == [segments[0].key]
    assert task.commands == 4
