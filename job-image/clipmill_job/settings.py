"""Settings of a job: an API URL, a key, the task index, and the state of an API beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from clipmill.environment import EnvironmentSettings
from clipmill_client.certificate_trust import ApiTrust, check_authorities


def _check_ca(text: str) -> str:
    return check_authorities(text) if text else ""


class JobSettings(EnvironmentSettings):
    """CLIPMILL_API_URL, CLIPMILL_API_KEY, and Kubernetes' JOB_COMPLETION_INDEX.

    CLIPMILL_POD is the name of the pod. CLIPMILL_CA holds certificates of CAs in PEM by which the
    API's certificate is verified.
    A job of a local API also has CLIPMILL_STATE, the API's folder, to link files from and to.
    """

    api_url: str
    api_key: str = Field(repr=False)
    index: int = Field(0, ge=0, validation_alias="JOB_COMPLETION_INDEX")
    pod: str = Field("", max_length=80)
    state: Path | None = None
    ca: Annotated[str, AfterValidator(_check_ca)] = ""

    @property
    def trust(self) -> ApiTrust | None:
        """The CAs by which the API's certificate is verified, besides those of httpx."""
        return ApiTrust.of_text(self.ca) if self.ca else None
