"""What a job may read and write, by the assignment of the task that it has claimed. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from clipmill.protocol import (
    Assignment,
    Image,
    MediaKind,
    OutputAssignment,
    Segment,
    UploadPurpose,
    UploadRequest,
)
from clipmill.protocol.companion_kinds import COMPANION_KINDS
from clipmill.sound.sound_stretches import stored_sound_keys
from clipmill.spec.base import Model

# Kinds that only jobs upload.
RENDERED_KINDS = (MediaKind.COMPILATION, *COMPANION_KINDS)
FETCHED_KINDS = (None, MediaKind.CLIP, MediaKind.THUMBNAIL)


class TaskScope(Model):
    """Files that a task may read, and what it may upload."""

    media: frozenset[str] = frozenset()
    watermarks: frozenset[str] = frozenset()
    # Keys of existing segments to read, or to replace if they are broken, and of missing ones to
    # upload and read back. Encoded stretches of sound are stored like segments.
    segments: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()
    clip_id: str | None = None
    clip_ids: frozenset[str] = frozenset()  # clips that play a part of the same source
    outputs: frozenset[str] = frozenset()

    def may_read_segment(self, key: str) -> bool:
        """Return whether the task's outputs contain this segment."""
        return key in self.segments or key in self.missing

    def with_segments_of(self, earlier: TaskScope) -> TaskScope:
        """Return this scope with the segments to render of an earlier one."""
        return self.model_copy(update={"missing": self.missing | earlier.missing})

    def may_upload(self, request: UploadRequest) -> bool:
        """Return whether the task is to produce this file."""
        if request.purpose is UploadPurpose.CLIP:
            return request.kind in FETCHED_KINDS and (
                request.clip_id == self.clip_id or request.clip_id in self.clip_ids
            )
        if request.purpose is UploadPurpose.SEGMENT:
            replaced = self.segments if request.replaces else frozenset()
            return request.segment_key in self.missing | replaced
        if request.purpose is UploadPurpose.OUTPUT:
            return request.output in self.outputs and request.kind in RENDERED_KINDS
        return False


def scope_of(assignment: Assignment) -> TaskScope:
    """Return the scope of an assignment."""
    outputs = assignment.assemble or []
    segments = [*(assignment.render or ()), *(s for output in outputs for s in output.segments)]
    images = [
        image for segment in segments for layer in segment.layers() for image in layer.images()
    ]
    existing = frozenset(key for output in outputs for key in output.existing)
    sound = [key for output in outputs for key in stored_sound_keys(output)]
    return TaskScope(
        media=frozenset(_media_ids(segments, images, outputs)),
        watermarks=frozenset(image.sha256 for image in images if image.media_id is None),
        segments=existing,
        missing=frozenset([*(segment.key for segment in segments), *sound]) - existing,
        clip_id=assignment.fetch.clip_id if assignment.fetch else None,
        clip_ids=frozenset(span.clip_id for span in assignment.fetch.spans)
        if assignment.fetch
        else frozenset(),
        outputs=frozenset(output.name for output in outputs),
    )


def _media_ids(
    segments: Iterable[Segment], images: Iterable[Image], outputs: Iterable[OutputAssignment]
) -> set[str]:
    sources = {source.media_id for segment in segments for source in segment.sources}
    music = {output.music.media_id for output in outputs if output.music}
    media_ids = sources | music | {image.media_id for image in images}
    return {media_id for media_id in media_ids if media_id}
