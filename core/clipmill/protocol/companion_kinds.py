"""The files that come with a finished video: one table for job, API and command line."""

from __future__ import annotations

from typing import NamedTuple

from clipmill.protocol import MediaKind, OutputResult


class CompanionFile(NamedTuple):
    """One kind of file: the field of its id, what follows the output's name, its label."""

    kind: MediaKind
    field: str
    suffix: str
    label: str

    def name(self, output: str) -> str:
        """The file's name."""
        return f"{output}{self.suffix}"

    def media_id(self, result: OutputResult) -> str | None:
        """Its media id; None when there is no such file."""
        found: str | None = getattr(result, self.field)
        return found


COMPANION_FILES = (
    CompanionFile(MediaKind.THUMBNAIL, "thumbnail_id", ".jpg", "thumbnail"),
    CompanionFile(MediaKind.STORYBOARD, "storyboard_id", "-storyboard.png", "storyboard"),
    CompanionFile(MediaKind.STORYBOARD_CUES, "storyboard_cues_id", ".vtt", "storyboardCues"),
    CompanionFile(MediaKind.CHAPTERS, "chapters_id", "-chapters.txt", "chapters"),
    CompanionFile(MediaKind.CREDITS, "credits_id", "-credits.txt", "credits"),
    CompanionFile(MediaKind.MANIFEST, "manifest_id", "-manifest.json", "manifest"),
)
COMPANION_KINDS = frozenset(file.kind for file in COMPANION_FILES)
"""Kinds that are no video: nothing to probe."""
