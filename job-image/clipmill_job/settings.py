"""All that a job is told: an API URL, a key, and which part it is. Read once."""

from __future__ import annotations

import os
import secrets
import socket
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from clipmill_job.errors import GiveUp


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`holder` names this very process, so that its repeated claims are one claim."""

    api_url: str
    api_key: str = field(repr=False)
    index: int
    scratch: Path
    holder: str

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Read CLIPMILL_API_URL, CLIPMILL_API_KEY, JOB_COMPLETION_INDEX. Raises GiveUp."""
        for name in ("CLIPMILL_API_URL", "CLIPMILL_API_KEY"):
            if not environ.get(name):
                raise GiveUp("BadSettings", f"{name} is not set")
        index = environ.get("JOB_COMPLETION_INDEX") or "0"
        if not index.isdigit():
            raise GiveUp("BadSettings", f"JOB_COMPLETION_INDEX is {index!r}, not a number")
        return cls(
            api_url=environ["CLIPMILL_API_URL"],
            api_key=environ["CLIPMILL_API_KEY"],
            index=int(index),
            scratch=Path(tempfile.mkdtemp(prefix="clipmill-")),
            holder=f"{socket.gethostname()[:60]}-{os.getpid()}-{secrets.token_hex(4)}",
        )
