"""Files of the segments that an assemble task joins."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Lock

from clipmill.protocol import Segment, SegmentCounts
from clipmill_job.assembling.join import SegmentFile
from clipmill_job.task_context import TaskContext


class SegmentFiles:
    """Segments rendered by this task, and others downloaded from the API on first use.

    Outputs that are assembled at the same time may share segments: `lock` is held by the one that
    downloads or renders some.
    """

    def __init__(self, context: TaskContext) -> None:
        self.lock = Lock()
        self._context = context
        self._paths: dict[str, Path] = {}
        outputs = context.assignment.assemble or []
        self._rendered = {key for output in outputs for key in output.rendered_early}
        self._stored = {key: file for o in outputs for key, file in o.existing_files.items()}

    def add_rendered(self, segment: Segment, path: Path) -> None:
        """Add the file of a segment that this task has rendered."""
        self._paths[segment.key] = path
        self._rendered.add(segment.key)

    def files(self, segments: Sequence[Segment]) -> list[SegmentFile]:
        """Return the segments with their files, in the same order."""
        return [SegmentFile(segment, self._path(segment)) for segment in segments]

    def _path(self, segment: Segment) -> Path:
        if segment.key not in self._paths:
            self._context.heartbeat.check()
            # Another name than that of a rendered segment: the file may be the store's own.
            path = self._context.scratch / f"{segment.key}.stored.mov"
            stored = self._stored.get(segment.key)
            self._context.client.download_segment(segment.key, path, stored)
            self._paths[segment.key] = path
        return self._paths[segment.key]

    def counts(self, segments: Sequence[Segment]) -> SegmentCounts:
        """Return how many of the segments this generation has rendered, and how many reused."""
        rendered = sum(segment.key in self._rendered for segment in segments)
        total = len(segments)
        return SegmentCounts(total=total, reused=total - rendered, rendered=rendered)
