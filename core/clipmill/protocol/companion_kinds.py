"""List the companion files of a finished video, for job, API and command line alike."""

from __future__ import annotations

from typing import NamedTuple

from clipmill.protocol.media_file import MediaKind
from clipmill.protocol.task_reports import OutputResult


class CompanionFile(NamedTuple):
    """A kind of companion file: the field of its media id, its file name suffix and its label."""

    kind: MediaKind
    field: str
    suffix: str
    label: str

    def name(self, output: str) -> str:
        """Return the file name for an output."""
        return f"{output}{self.suffix}"

    def media_id(self, result: OutputResult) -> str | None:
        """Return the media id of the file, or None if the result has no such file."""
        media_id: str | None = getattr(result, self.field)
        return media_id


COMPANION_FILES = (
    CompanionFile(MediaKind.THUMBNAIL, "thumbnail_id", ".jpg", "thumbnail"),
    CompanionFile(MediaKind.STORYBOARD, "storyboard_id", "-storyboard.png", "storyboard"),
    CompanionFile(MediaKind.STORYBOARD_CUES, "storyboard_cues_id", ".vtt", "storyboardCues"),
    CompanionFile(MediaKind.CHAPTERS, "chapters_id", "-chapters.txt", "chapters"),
    CompanionFile(MediaKind.CREDITS, "credits_id", "-credits.txt", "credits"),
    CompanionFile(MediaKind.MANIFEST, "manifest_id", "-manifest.json", "manifest"),
)
COMPANION_KINDS = frozenset(file.kind for file in COMPANION_FILES)
