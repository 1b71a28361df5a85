"""Bodies of E1 and E2: clips of the key's compilation."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from clipmill.spec import Id, Name, SanitizedLine
from clipmill_api.legacy_worker.legacy_model import LegacyModel


class ClipMetadata(LegacyModel):
    """What a download needs to know of a clip (E1)."""

    id: Id
    title: str | None
    source_url: str | None
    source_platform: Literal["twitch", "youtube", "discord", "external", "library"]
    source_id: str | None
    project_id: Id
    user_id: Name
    username: Name
    project_name: str


class ClipUpdate(LegacyModel):
    """Report on a clip (E2): its media, or the error for which it is skipped."""

    is_downloaded: bool | None = None
    media_file_id: Id | None = None
    duration: float | None = Field(None, ge=0, le=86_400)
    error: SanitizedLine | None = Field(None, max_length=500)

    @model_validator(mode="after")
    def _refuse_both(self) -> Self:
        if self.error is not None and self.media_file_id is not None:
            raise ValueError("error and media_file_id exclude each other")
        return self


class ClipUpdated(LegacyModel):
    """Reply of E2."""

    status: Literal["updated"] = "updated"
    clip_id: Id
