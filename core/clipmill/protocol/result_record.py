"""Record what a result plays: every item and the music, with names, sources and hashes.

Chapters, credits, the result manifest and the OTIO export are derived from this record.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from clipmill.spec.base import Id, Model

ItemKind = Literal["intro", "clip", "transition", "bumper", "outro"]


class PlayedItem(Model):
    """An item of the result, in frames of its rate."""

    kind: ItemKind
    name: str = Field(description="Name of a clip; media id of any other item.")
    title: str | None = None
    media_id: Id | None = None
    sha256: str = Field("", description="Hash of the source file; empty for a placeholder.")
    url: str | None = None
    creator: str | None = None
    game: str | None = None
    at: int = Field(description="First frame within the result.")
    start: int = Field(description="First frame within the source.")
    frames: int


class MusicTrack(Model):
    """The music of the result, in frames of its rate."""

    media_id: Id
    sha256: str
    title: str | None = None
    artist: str | None = None
    license: str | None = None
    url: str | None = None
    at: int
    frames: int
    settings: dict[str, Any] = Field({}, description="Level, window and ducking, as in the spec.")


class ResultRecord(Model):
    """Everything that one result plays."""

    title: str | None = None
    rate: int = 30
    frames: int = 0
    items: list[PlayedItem] = []
    music: MusicTrack | None = None

    def media(self) -> dict[str, Literal[ItemKind, "music"]]:
        """Return each media id with the kind of item that it is first played as."""
        kinds: dict[str, Literal[ItemKind, "music"]] = {}
        for item in self.items:
            if item.media_id:
                kinds.setdefault(item.media_id, item.kind)
        if self.music:
            kinds.setdefault(self.music.media_id, "music")
        return kinds


class Chapter(Model):
    """A chapter of a result, in frames."""

    title: str
    at: int
    frames: int


class CreditEntry(Model):
    """A work that a result uses, and where it is published."""

    kind: Literal["clip", "music"]
    title: str
    by: str | None = None
    about: str | None = Field(None, description="Game of a clip, or license of a track.")
    url: str | None = None
