"""Bodies of E10 to E12: quota, limits and usage of the key's owner."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from clipmill.spec import Id
from clipmill_api.legacy_worker.legacy_model import LegacyModel


class StorageQuota(LegacyModel):
    """Storage of a user (E10)."""

    remaining_bytes: int | None
    total_bytes: int | None
    used_bytes: int


class UserTierLimits(LegacyModel):
    """Limits of a user's tier (E11)."""

    tier: str
    storage_limit_bytes: int | None
    render_time_limit_seconds: int | None
    apply_watermark: bool
    is_unlimited: bool


class RenderRecord(LegacyModel):
    """Report of render time (E12). The stored seconds are those of the timeline."""

    project_id: Id
    seconds: float = Field(ge=0, le=86_400 * 7)


class RenderRecorded(LegacyModel):
    """Reply of E12: the seconds that are stored for the generation."""

    status: Literal["recorded", "existing"]
    seconds: int
