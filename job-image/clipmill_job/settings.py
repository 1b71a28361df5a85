"""Settings of a job: an API URL, a key, the task index, and the store of an API beside it."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from clipmill.environment import EnvironmentSettings


class JobSettings(EnvironmentSettings):
    """CLIPMILL_API_URL, CLIPMILL_API_KEY, and Kubernetes' JOB_COMPLETION_INDEX.

    A job of a local API also has CLIPMILL_BLOBS, the folder of the store, to link files from.
    """

    api_url: str
    api_key: str = Field(repr=False)
    index: int = Field(0, ge=0, validation_alias="JOB_COMPLETION_INDEX")
    blobs: Path | None = None
