"""What a result is made of: each shot and the music, with their names, sources and hashes.

Chapters, credits and the manifest of a result are drawn from this one record.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from clipmill.spec.base import Id, Model

ItemKind = Literal["intro", "clip", "transition", "bumper", "outro"]


class PlayedItem(Model):
    """One shot of the result, in frames of its rate."""

    kind: ItemKind
    name: str = Field(description="of a clip: its name; else the media id")
    title: str | None = None
    media_id: Id | None = None
    sha256: str = Field("", description="of the source file; empty: a placeholder")
    url: str | None = None
    creator: str | None = None
    game: str | None = None
    at: int = Field(description="first frame within the result")
    start: int = Field(description="first frame within the source")
    frames: int


class MusicTrack(Model):
    """The music, in frames of the result's rate."""

    media_id: Id
    sha256: str
    title: str | None = None
    artist: str | None = None
    license: str | None = None
    url: str | None = None
    at: int
    frames: int
    settings: dict[str, Any] = Field(
        {}, description="level, window and ducking, as the spec has them"
    )


class ResultRecord(Model):
    """All that one result plays."""

    title: str | None = None
    rate: int = 30
    frames: int = 0
    items: list[PlayedItem] = []
    music: MusicTrack | None = None

    def media(self) -> dict[str, Literal[ItemKind, "music"]]:
        """Each media file once, and what it is played as first."""
        found: dict[str, Literal[ItemKind, "music"]] = {}
        for shot in self.items:
            if shot.media_id:
                found.setdefault(shot.media_id, shot.kind)
        if self.music:
            found.setdefault(self.music.media_id, "music")
        return found


class Chapter(Model):
    """A stretch of a result under a title, in frames."""

    title: str
    at: int
    frames: int


class CreditEntry(Model):
    """One work that a result uses, and where it can be found."""

    kind: Literal["clip", "music"]
    title: str
    by: str | None = None
    about: str | None = Field(None, description="the game of a clip, the license of a track")
    url: str | None = None


def one_line(text: str) -> str:
    """Text of any shape as one line of a list."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def clock(frames: int, rate: int) -> str:
    """`1:02:03`, `2:03`: whole seconds, as players and descriptions write them."""
    seconds = frames // rate
    hours, minutes = divmod(seconds // 60, 60)
    tail = f"{minutes:02}:{seconds % 60:02}" if hours else f"{minutes}:{seconds % 60:02}"
    return f"{hours}:{tail}" if hours else tail
