"""Make sure that segments can be joined: one form, that of their profile, and their length.

Segments are equal by construction. One that was rendered by another build of ffmpeg, or from a
source that leaves its mark in the encoding, is found here, before the join, and rendered again. The
API then stores the new file in place of the old one, so that this happens once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
from av.video.stream import VideoStream

from clipmill.ffmpeg.segment_args import segment_args
from clipmill.protocol import OutputAssignment, Profile, Segment, SourceRange
from clipmill.spec import AUDIO_RATE
from clipmill_client.errors import ClientError, PermanentError
from clipmill_client.transfer import sha256_of
from clipmill_job.assembling.declared_streams import open_declared
from clipmill_job.assembling.item_names import item_names
from clipmill_job.assembling.join import SegmentFile
from clipmill_job.assembling.segment_files import SegmentFiles
from clipmill_job.errors import SegmentFailure, SegmentsFailed, is_lease_lost
from clipmill_job.rendering.segment_rendering import RenderProgress, render_segments
from clipmill_job.rendering.segment_upload import segment_upload
from clipmill_job.task_context import TaskContext

ColorTags = tuple[int, int, int, int]
# Matrix, primaries and transfer of BT.709, and limited range.
BT709_TAGS = (1, 1, 1, 1)
UNKNOWN_LENGTH = (0, 0)
BLACK_FRAME = SourceRange(media_id=None, sha256="", format="", has_audio=False, start=0, frames=1)


class SegmentForm(NamedTuple):
    """What has to be equal for segments to be joined by copying packets.

    The range of colours among the tags is unknown where the parameter sets declare it.
    """

    parameter_sets: bytes | None
    time_base: Fraction | None
    tags: ColorTags


class SegmentHeader(NamedTuple):
    """What the file of a segment declares: its form, and its frames and samples.

    Matroska has no index of all frames: both are 0 there, and the join counts them.
    """

    form: SegmentForm
    length: tuple[int, ...]

    def is_of(self, segment: Segment) -> bool:
        """Return whether the file has the frames and samples of a segment."""
        expected = (segment.frames, segment.frames * AUDIO_RATE // segment.profile.rate)
        return self.length in (expected, UNKNOWN_LENGTH)


def read_header(path: Path) -> SegmentHeader | None:
    """Return what a segment's file declares; None if it cannot be read."""
    try:
        with open_declared(path) as container:
            stream = container.streams.video[0]
            streams = (*container.streams.video, *container.streams.audio)
            form = SegmentForm(stream.codec_context.extradata, stream.time_base, _tags(stream))
            return SegmentHeader(form, tuple(each.frames for each in streams))
    except (av.FFmpegError, IndexError):
        return None


def _tags(stream: VideoStream) -> ColorTags:
    context = stream.codec_context
    return context.colorspace, context.color_primaries, context.color_trc, context.color_range


def decoded_tags(path: Path) -> ColorTags:
    """Return the tags of a file's first picture."""
    with av.open(str(path)) as container:
        return _tags(container.streams.video[0])


def read_form(path: Path) -> SegmentForm | None:
    """Return the form of a segment's file; None if it cannot be read."""
    header = read_header(path)
    return header.form if header else None


def ensure_one_form(
    context: TaskContext,
    output: OutputAssignment,
    segments: Sequence[SegmentFile],
    files: SegmentFiles,
) -> list[SegmentFile]:
    """Return the segments with files of one form; those of another are rendered again, once.

    Args:
        context: The task's.
        output: The output, whose record names the items.
        segments: Its segments in order.
        files: Gets the segments that are rendered again.

    Raises:
        SegmentsFailed: Segments have another form or length after rendering, too. The message
            names their items.
    """
    if _are_joinable(segments):
        return list(segments)
    expected = _expected_form(context, segments[0].segment.profile)
    wrong = _of_another_form(segments, expected)
    stored = _stored_sha256(context, wrong)
    rendered = _render_again(context, output, [segment for segment, _ in wrong], files)
    if still_wrong := _of_another_form(rendered, expected):
        raise SegmentsFailed([_failure(output, segment) for segment, _ in still_wrong])
    _replace_stored(context, rendered, stored)
    return files.files([segment for segment, _ in segments])


def _are_joinable(segments: Sequence[SegmentFile]) -> bool:
    headers = {path: read_header(path) for path in {path for _, path in segments}}
    forms = {header.form if header else None for header in headers.values()}
    # Of files with the same parameter sets, one speaks for all.
    is_one = len(forms) == 1 and None not in forms
    is_tagged = is_one and decoded_tags(segments[0].path) == BT709_TAGS
    return is_tagged and all(_is_whole(headers[path], segment) for segment, path in segments)


def _is_whole(header: SegmentHeader | None, segment: Segment) -> bool:
    return header is not None and header.is_of(segment)


def _stored_sha256(context: TaskContext, files: Sequence[SegmentFile]) -> dict[str, str]:
    """Return the SHA-256 of those files that the API stores, by segment key."""
    existing = {key for output in context.assignment.assemble or [] for key in output.existing}
    return {segment.key: sha256_of(path) for segment, path in files if segment.key in existing}


def _render_again(
    context: TaskContext,
    output: OutputAssignment,
    segments: Sequence[Segment],
    files: SegmentFiles,
) -> list[SegmentFile]:
    names = item_names([output])
    line = f"{output.name}: {_played(output, segments)}: another form, rendering again"
    context.heartbeat.report(0, line[:300])
    progress = RenderProgress(context.heartbeat, segments, share=0.0)
    render_segments(context, segments, then=files.add_rendered, progress=progress, names=names)
    return files.files(segments)


def _replace_stored(
    context: TaskContext, files: Sequence[SegmentFile], stored: Mapping[str, str]
) -> None:
    """Upload segments in place of the stored ones. The output does not depend on it."""
    for segment, path in files:
        if segment.key not in stored:
            continue
        replaces = stored[segment.key]
        request = segment_upload(context.assignment, segment, path, replaces=replaces)
        try:
            context.client.upload(path, request)
        except ClientError as error:
            if is_lease_lost(error):
                raise
            line = f"segment {segment.key[:12]} was not replaced: {error}"
            context.heartbeat.report(0, line[:300])


def _played(output: OutputAssignment, segments: Sequence[Segment]) -> str:
    names = item_names([output])
    return ", ".join(dict.fromkeys(names.get(each.key, "a segment") for each in segments))


def _expected_form(context: TaskContext, profile: Profile) -> SegmentForm | None:
    """Return the form of a black frame in this profile."""
    segment = Segment(key="0" * 64, sources=[BLACK_FRAME], profile=profile)
    path = context.scratch / "black-frame.mov"
    context.run_ffmpeg(segment_args(segment, [None], str(path)), frames=segment.frames)
    return read_form(path)


def _of_another_form(
    segments: Sequence[SegmentFile], expected: SegmentForm | None
) -> list[SegmentFile]:
    """Return each segment once whose file is not of the expected form."""
    unique = {each.segment.key: each for each in segments}
    return [
        each
        for each in unique.values()
        if (header := read_header(each.path)) is None
        or header.form != expected
        or not header.is_of(each.segment)
    ]


def _failure(output: OutputAssignment, segment: Segment) -> SegmentFailure:
    problem = "rendered with another length or other parameter sets than planned"
    message = f"{_played(output, [segment])}: {problem}"
    return SegmentFailure(segment, PermanentError("BrokenSegment", message))
