"""Segments of another form are rendered again once before the join, and named."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

import clipmaker
from clipmill.ffmpeg.segment_args import segment_args
from clipmill.protocol import OutputAssignment, Profile, Segment, SourceRange, UploadRequest
from clipmill.protocol.result_record import PlayedItem, ResultRecord
from clipmill_client.errors import PermanentError
from clipmill_client.transfer import sha256_of
from clipmill_job.assembling import output_assembly
from clipmill_job.assembling.item_names import item_names
from clipmill_job.assembling.segment_files import SegmentFiles
from clipmill_job.assembling.segment_form import (
    BT709_TAGS,
    decoded_tags,
    ensure_one_form,
    read_form,
)
from clipmill_job.assembling.step_timer import StepTimer
from clipmill_job.ffmpeg_binary import find_ffmpeg
from clipmill_job.rendering.segment_rendering import RenderProgress, render_segments
from clipmill_job.task_context import TaskContext

PROFILE = Profile(width=64, height=64, rate=30, crf=28, speed="ultrafast", max_bitrate=10**6)
BLACK = SourceRange(media_id=None, sha256="", format="", has_audio=False, start=0, frames=4)
NAMES = ("one", "two", "three")


class Client:
    """Keeps the keys that are uploaded."""

    def __init__(self) -> None:
        self.uploaded: list[str | None] = []
        self.replaced: list[str] = []

    def upload(self, path: Path, request: UploadRequest) -> None:
        self.uploaded.append(request.segment_key)
        self.replaced += [request.replaces] if request.replaces else []

    def download_media(self, media_id: str, path: Path) -> None:
        path.write_bytes(b"no video")


class Heartbeat:
    """Keeps the lines that are reported."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def report(self, percent: float, line: str = "") -> None:
        self.lines += [line] if line else []

    def check(self) -> None:
        return


class Assembly:
    """Three black segments of an output, all missing, and the assignment to assemble them."""

    index, epoch, render = 0, 1, None

    def __init__(self, folder: Path) -> None:
        self.client, self.heartbeat = Client(), Heartbeat()
        self.context = TaskContext(
            client=cast(Any, self.client),
            assignment=cast(Any, self),
            heartbeat=cast(Any, self.heartbeat),
            scratch=folder,
            ffmpeg=find_ffmpeg(),
        )
        segments = [
            Segment(key=f"{i}" * 64, sources=[BLACK], profile=PROFILE) for i in range(len(NAMES))
        ]
        items = [
            PlayedItem(kind="clip", name=name, at=4 * i, start=0, frames=4)
            for i, name in enumerate(NAMES)
        ]
        self.output = OutputAssignment(
            name="main",
            segments=segments,
            loudness_lufs=-14,
            true_peak_dbtp=-1,
            record=ResultRecord(items=items),
        )
        self.assemble = [self.output]
        self.files = SegmentFiles(self.context)
        for segment in segments:
            path = folder / f"{segment.key}.mov"
            clipmaker.ffmpeg(*segment_args(segment, [None], str(path)))
            self.files.add_rendered(segment, path)

    def path(self, i: int) -> Path:
        return self.context.scratch / f"{self.output.segments[i].key}.mov"

    def ensure(self) -> set[Any]:
        """Return the forms of the files that are joined."""
        given = self.files.files(self.output.segments)
        segments = ensure_one_form(self.context, self.output, given, self.files)
        return {read_form(path) for _, path in segments}


def test_a_failed_segment_is_named(assembly: Assembly) -> None:
    """The error of a source that ffmpeg cannot read names its clip."""
    unreadable = BLACK.model_copy(update={"media_id": "m-1", "format": "mov"})
    output = assembly.output
    segment = output.segments[1].model_copy(update={"sources": [unreadable]})
    progress = RenderProgress(assembly.context.heartbeat, [segment], share=0.0)
    with pytest.raises(PermanentError) as caught:
        render_segments(
            assembly.context,
            [segment],
            then=assembly.files.add_rendered,
            progress=progress,
            names=item_names([output]),
        )
    assert caught.value.code == "RenderFailed"
    assert str(caught.value).startswith("clip two: ")


@pytest.fixture
def assembly(tmp_path: Path) -> Assembly:
    """Segments of one form."""
    return Assembly(tmp_path)


def _of_another_form(path: Path, *args: str) -> None:
    """Overwrite a segment by one that cannot be joined with the others."""
    black = ("-f", "lavfi", "-i", "color=black:s=64x64:r=30", "-frames:v", "4")
    clipmaker.ffmpeg(*black, "-c:v", "libx264", *args, str(path))


def test_segments_of_one_form_are_kept(assembly: Assembly) -> None:
    """Nothing is rendered or reported."""
    assert len(assembly.ensure()) == 1
    assert (assembly.client.uploaded, assembly.heartbeat.lines) == ([], [])


@pytest.mark.parametrize("i", range(len(NAMES)))
def test_another_form_is_rendered_again(i: int, assembly: Assembly) -> None:
    """Only that segment, also if it is the first one; the log names its clip."""
    expected = read_form(assembly.path((i + 1) % 3))
    _of_another_form(assembly.path(i), "-preset", "medium")
    assert assembly.ensure() == {expected}
    assert assembly.client.uploaded == [assembly.output.segments[i].key]
    (line,) = assembly.heartbeat.lines
    assert [name for name in NAMES if f"clip {name}" in line] == [NAMES[i]]


def test_one_wrong_form_of_all_is_rendered_again(assembly: Assembly) -> None:
    """Full range is in the parameter sets only, which are the same in all files."""
    expected = read_form(assembly.path(0))
    tags = ("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709")
    for i in range(len(NAMES)):
        _of_another_form(assembly.path(i), *tags, "-color_range", "pc", "-pix_fmt", "yuv420p")
    assert assembly.ensure() == {expected}


def test_a_stored_segment_is_replaced(assembly: Assembly) -> None:
    """The upload names the stored bytes, so that no other bytes are replaced."""
    key = assembly.output.segments[0].key
    assembly.assemble = [assembly.output.model_copy(update={"existing": [key]})]
    _of_another_form(assembly.path(0), "-preset", "medium")
    stored = sha256_of(assembly.path(0))
    assert len(assembly.ensure()) == 1
    assert (assembly.client.uploaded, assembly.client.replaced) == ([key], [stored])


def test_an_output_does_not_depend_on_the_replacement(
    assembly: Assembly, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refused upload is a line of the log."""
    key = assembly.output.segments[0].key
    assembly.assemble = [assembly.output.model_copy(update={"existing": [key]})]
    _of_another_form(assembly.path(0), "-preset", "medium")

    def refuse(path: Path, request: UploadRequest) -> None:
        raise PermanentError("Forbidden", "not this one")

    monkeypatch.setattr(assembly.client, "upload", refuse)
    assert len(assembly.ensure()) == 1
    assert key[:12] in assembly.heartbeat.lines[-1]


def test_a_file_that_cannot_be_read_is_rendered_again(assembly: Assembly) -> None:
    """Damage in a stored segment does not fail the output."""
    assembly.path(1).write_bytes(b"no video")
    assert len(assembly.ensure()) == 1
    assert assembly.client.uploaded == [assembly.output.segments[1].key]


def test_equal_segments_without_tags_are_rendered_again(assembly: Assembly) -> None:
    """Segments that an earlier version stored without tags do not decide the form."""
    expected = read_form(assembly.path(0))
    for i in range(len(NAMES)):
        _of_another_form(assembly.path(i))
    assert assembly.ensure() == {expected}
    assert {decoded_tags(assembly.path(i)) for i in range(len(NAMES))} == {BT709_TAGS}
    assert len(assembly.client.uploaded) == 3


def test_a_form_that_stays_wrong_is_a_permanent_error(
    assembly: Assembly, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is rendered again once; the error names the clip."""
    _of_another_form(assembly.path(1))
    upload = assembly.client.upload

    def spoil(path: Path, request: UploadRequest) -> None:
        upload(path, request)
        _of_another_form(path)

    monkeypatch.setattr(assembly.client, "upload", spoil)
    with pytest.raises(PermanentError) as caught:
        assembly.ensure()
    assert caught.value.code == "BrokenSegment"
    assert "clip two" in str(caught.value)
    assert len(assembly.client.uploaded) == 1


def test_an_uploaded_file_is_not_written_again(assembly: Assembly, tmp_path: Path) -> None:
    """It may be the store's own: what is rendered again is another file of that name."""
    _of_another_form(assembly.path(1), "-preset", "medium")
    stored = tmp_path / "stored"
    stored.hardlink_to(assembly.path(1))
    content = stored.read_bytes()
    assert len(assembly.ensure()) == 1
    assert stored.read_bytes() == content != assembly.path(1).read_bytes()


def test_an_output_begins_with_an_empty_folder(assembly: Assembly, tmp_path: Path) -> None:
    """The video of a first attempt may be the store's own, too."""
    output = output_assembly._OutputAssembly(
        assembly.context, assembly.output, assembly.files, StepTimer()
    )
    video, stored = output._empty_folder() / "main.mp4", tmp_path / "stored"
    video.write_bytes(b"video")
    stored.hardlink_to(video)
    assert list(output._empty_folder().iterdir()) == []
    assert stored.read_bytes() == b"video"
