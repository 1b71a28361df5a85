"""Settings of TLS: a certificate and its key, or a CA by which the API signs its own."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import model_validator
from pydantic_settings import SettingsConfigDict

from clipmill.environment import EnvironmentSettings, Words


class TlsSettings(EnvironmentSettings):
    """CLIPMILL_TLS_*: files in PEM. Without any of them the API serves plain HTTP.

    `names` are the host names and addresses of certificates that the API signs by `ca_key`, the key
    of the first certificate in `ca`.
    """

    model_config = SettingsConfigDict(env_prefix="CLIPMILL_TLS_")

    certificate: Path | None = None
    key: Path | None = None
    ca: Path | None = None
    ca_key: Path | None = None
    names: Words = ()

    @property
    def is_enabled(self) -> bool:
        """Whether the API serves HTTPS."""
        return bool(self.certificate or self.ca)

    @model_validator(mode="after")
    def _require_pairs(self) -> Self:
        if bool(self.certificate) != bool(self.key):
            raise ValueError("CLIPMILL_TLS_CERTIFICATE and CLIPMILL_TLS_KEY must be set together")
        if len({bool(self.ca), bool(self.ca_key), bool(self.names)}) > 1:
            raise ValueError(
                "CLIPMILL_TLS_CA, CLIPMILL_TLS_CA_KEY and CLIPMILL_TLS_NAMES must be set together"
            )
        if self.certificate and self.ca:
            raise ValueError("CLIPMILL_TLS_CERTIFICATE and CLIPMILL_TLS_CA exclude each other")
        return self
