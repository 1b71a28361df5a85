"""Settings of a job: an API URL, a key and the task index, read from the environment once."""

from __future__ import annotations

import os
import secrets
import socket
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from clipmill_client.errors import PermanentError


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSettings:
    """`holder` names this process, so that the API sees its repeated claims as one."""

    api_url: str
    api_key: str = field(repr=False)
    index: int
    scratch: Path
    holder: str

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> JobSettings:
        """Read CLIPMILL_API_URL, CLIPMILL_API_KEY and JOB_COMPLETION_INDEX.

        Raises:
            PermanentError: A variable is missing or not valid.
        """
        return cls(
            api_url=_required(environ, "CLIPMILL_API_URL"),
            api_key=_required(environ, "CLIPMILL_API_KEY"),
            index=_index(environ.get("JOB_COMPLETION_INDEX") or "0"),
            scratch=Path(tempfile.mkdtemp(prefix="clipmill-")),
            holder=f"{socket.gethostname()[:60]}-{os.getpid()}-{secrets.token_hex(4)}",
        )


def _required(environ: Mapping[str, str], name: str) -> str:
    if not environ.get(name):
        raise PermanentError("BadSettings", f"{name} is not set")
    return environ[name]


def _index(text: str) -> int:
    if not text.isdigit():
        raise PermanentError("BadSettings", f"JOB_COMPLETION_INDEX: {text!r} is not a number")
    return int(text)
