"""Base of the bodies of the guide's endpoints.

Fields are snake_case as in the guide, ids are strings, and a user's id is its owner name. Times
are seconds. `null` means no limit, and 0 means zero.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class LegacyModel(BaseModel):
    """A frozen body that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")
