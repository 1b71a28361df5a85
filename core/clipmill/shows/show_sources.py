"""Define the sources of the clips of a show."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from clipmill.protocol.media_file import MediaKind
from clipmill.spec.base import Line, Model, Name
from clipmill.spec.long_duration import LongDuration

ShortLine = Annotated[Line, Field(min_length=1, max_length=100)]
Url = Annotated[Line, Field(min_length=1, max_length=2000)]


class TwitchSource(Model):
    """Clips of Twitch, by broadcasters, by games, or by their ids."""

    broadcasters: list[ShortLine] = Field(
        [], max_length=50, description="broadcasters are login names of channels."
    )
    games: list[ShortLine] = Field(
        [], max_length=20, description="games are names of categories, as Twitch writes them."
    )
    ids: list[ShortLine] = Field([], max_length=500, description="ids are ids of single clips.")
    languages: list[Annotated[str, Field(pattern=r"^[a-z]{2}$", max_length=2)]] = Field(
        [], max_length=20, description="languages are the languages of clips. Empty for all."
    )
    minimum_views: int = Field(
        0, ge=0, le=10**12, description="minimumViews is the smallest number of views of a clip."
    )
    most: int = Field(
        1000, ge=1, le=10_000, description="most is the largest number of candidates."
    )
    credentials: Name = Field(
        description="credentials is the name of the owner's credentials of kind twitch."
    )

    @model_validator(mode="after")
    def _one_query(self) -> Self:
        lists = {"broadcasters": self.broadcasters, "games": self.games, "ids": self.ids}
        names = [name for name, values in lists.items() if values]
        if len(names) != 1:
            raise ValueError(
                "exactly one of broadcasters, games and ids must be set;"
                f" {' and '.join(names) or 'none'} {'are' if names else 'is'} set"
            )
        return self


class DiscordSource(Model):
    """Links and attachments in the messages of a Discord channel."""

    channel: Annotated[str, Field(pattern=r"^[0-9]{5,25}$", max_length=25)] = Field(
        description="channel is the id of the channel, in digits."
    )
    minimum_reactions: int = Field(
        0,
        ge=0,
        le=1_000_000,
        description="minimumReactions is the smallest number of reactions to a message.",
    )
    most: int = Field(500, ge=1, le=10_000, description="most is the largest number of candidates.")
    credentials: Name = Field(
        description="credentials is the name of the owner's credentials of kind discord."
    )


class FeedSource(Model):
    """Entries of an RSS or Atom feed."""

    url: Url = Field(description="url is the address of the feed, by http or https.")
    most: int = Field(100, ge=1, le=1000, description="most is the largest number of candidates.")


class ListSource(Model):
    """Entries of a page that yt-dlp lists: a channel, a playlist, a search."""

    url: Url = Field(description="url is the address of the page, by http or https.")
    most: int = Field(30, ge=1, le=500, description="most is the largest number of candidates.")


class LibraryKind(StrEnum):
    """Kinds of media of the library that can play as clips."""

    CLIP = "Clip"
    IMAGE = "Image"
    INTRO = "Intro"
    OUTRO = "Outro"
    TRANSITION = "Transition"
    BUMPER = "Bumper"
    COMPILATION = "Compilation"

    @property
    def media_kind(self) -> MediaKind:
        """The same kind, as the library names it."""
        return MediaKind(self.value.lower())


class LibrarySource(Model):
    """Media of the owner's library."""

    kinds: list[LibraryKind] = Field(
        [LibraryKind.CLIP], min_length=1, max_length=7, description="kinds are the kinds of media."
    )
    uploaded_within: LongDuration | None = Field(
        None, description="uploadedWithin is the age of the oldest upload. Absent for any."
    )
    most: int = Field(500, ge=1, le=10_000, description="most is the largest number of candidates.")


SOURCE_KINDS = ("twitch", "discord", "feed", "list", "library")


class ShowSource(Model):
    """A source of clips: exactly one of its fields is set."""

    twitch: TwitchSource | None = Field(
        None,
        description="twitch searches clips by exactly one of broadcasters, games and ids.",
    )
    discord: DiscordSource | None = Field(
        None, description="discord reads the messages of a Discord channel."
    )
    feed: FeedSource | None = Field(None, description="feed reads an RSS or Atom feed.")
    list: ListSource | None = Field(None, description="list reads a page that yt-dlp lists.")
    library: LibrarySource | None = Field(
        None, description="library takes media of the owner's library."
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        names = [name for name in SOURCE_KINDS if getattr(self, name) is not None]
        if len(names) != 1:
            raise ValueError(
                f"exactly one of {', '.join(SOURCE_KINDS)} must be set;"
                f" {' and '.join(names) or 'none'} {'are' if names else 'is'} set"
            )
        return self

    @property
    def kind(self) -> str:
        """The name of the field that is set."""
        return next(name for name in SOURCE_KINDS if getattr(self, name) is not None)

    @property
    def credentials(self) -> str | None:
        """The name of the owner's credentials that this source needs."""
        source = self.twitch or self.discord
        return source.credentials if source else None
