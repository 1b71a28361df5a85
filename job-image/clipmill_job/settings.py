"""Settings of a job: an API URL, a key and the task index."""

from __future__ import annotations

from pydantic import Field

from clipmill.environment import EnvironmentSettings


class JobSettings(EnvironmentSettings):
    """CLIPMILL_API_URL, CLIPMILL_API_KEY, and Kubernetes' JOB_COMPLETION_INDEX."""

    api_url: str
    api_key: str = Field(repr=False)
    index: int = Field(0, ge=0, validation_alias="JOB_COMPLETION_INDEX")
