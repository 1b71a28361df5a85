"""Describe owners' accounts, and users and tiers as an administrator manages them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, Field

from clipmill.spec.base import MAX_SAFE_INTEGER, Id, Model, Name

MAX_KEY_LIFETIME_S = 10 * 366 * 86_400


class Account(Model):
    """What an owner may use and has used. A null limit is no limit; 0 allows nothing."""

    owner: Name
    tier: str
    storage_used_bytes: int
    storage_limit_bytes: int | None
    render_used_seconds: int
    render_reserved_seconds: int
    render_limit_seconds: int | None
    month: str
    result_days: int | None = Field(
        None, description="Default of ttlAfterFinished in days, by the tier; null for ever."
    )
    newest_results: int | None = Field(
        None, description="Number of results that are kept, the newest ones; null for all."
    )


class ResultRetention(Model):
    """How many results an owner keeps, the newest ones."""

    newest: int | None = Field(None, ge=1, le=1_000_000, description="Null for all.")


class Usage(Model):
    """Render time of a finished generation. Each generation has at most one such row."""

    compilation_id: Id
    generation: int
    seconds: int
    created_at: str


def _in_this_era(time: datetime) -> datetime:
    """Refuse times that no calendar month of all time zones has."""
    if not 2000 <= time.year <= 9000:
        raise ValueError(f"{time.isoformat()} is not between the years 2000 and 9000")
    return time


class ImportedUsage(Model):
    """Render time of another system, which counts in the month of its creation."""

    id: Id = Field(description="Identifies the entry; it takes the place of a compilation's id.")
    seconds: int = Field(ge=0, le=10**9)
    created_at: Annotated[AwareDatetime, AfterValidator(_in_this_era)]


class UsageImport(Model):
    """Render time to add to a user's usage."""

    dry_run: bool = Field(False, description="Only count the entries that are new.")
    entries: list[ImportedUsage] = Field(max_length=500)


class UsageImportReply(Model):
    """How many entries are new, and how many the user has already."""

    created: int
    existing: int


class TierView(Model):
    """A tier. A null limit is no limit."""

    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9 _-]{0,99}$")
    storage_limit_bytes: int | None = Field(None, ge=0, le=MAX_SAFE_INTEGER)
    render_limit_seconds: int | None = Field(None, ge=0, le=MAX_SAFE_INTEGER)
    apply_watermark: bool = False
    max_resolution: Literal["720p", "1080p", "1440p", "2160p"] | None = None
    max_fps: int | None = Field(None, ge=1, le=1000)
    max_clips: int | None = Field(None, ge=0, le=MAX_SAFE_INTEGER)
    result_days: int | None = Field(
        None, ge=1, le=36_500, description="Days for which results are kept; null for ever."
    )


class KeyExpiry(Model):
    """Request for a key of a user."""

    expires_in_seconds: int | None = Field(
        None, ge=60, le=MAX_KEY_LIFETIME_S, description="Lifetime of the key; absent for ever."
    )


class KeyView(Model):
    """A key of a user, without its secret."""

    id: Id
    created_at: str | None = None
    last_used_at: str | None = Field(None, description="Recorded once a minute; absent if unused.")
    expires_at: str | None = None
    revoked_at: str | None = None


class CreatedKey(KeyView):
    """A new key of a user. Its secret is returned once and stored as a hash."""

    key: str


class SignInLink(Model):
    """A code that signs a browser in once: the dashboard's address followed by `#sign-in=CODE`."""

    code: str
    expires_at: str


class UserView(Model):
    """A user and the tier that applies."""

    name: Name
    tier: str = Field(
        "", description="Absent in a request: the user's tier is kept, a new user's is Free."
    )
