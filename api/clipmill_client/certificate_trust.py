"""The certificate authorities (CAs) by which the certificate of an API is verified."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from clipmill_client import light_httpx  # noqa: F401  before the first import of httpx

# isort: split
import httpx

CA_HINT = "CLIPMILL_CA_FILE names a file with the certificates of its CA"


def check_authorities(text: str) -> str:
    """Return certificates in PEM. Raises ValueError if there are none, or one is damaged."""
    _load(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), text)
    return text


def read_authorities(path: Path) -> str:
    """Return the certificates of a file in PEM. Raises ValueError, which names the file."""
    try:
        return check_authorities(path.read_text())
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


class ApiTrust:
    """CAs of an API besides those that httpx trusts by default.

    Args:
        read: Returns the certificates in PEM. It is called again when a certificate is not trusted,
            because a file may have been replaced meanwhile. Raises ValueError.
    """

    def __init__(self, read: Callable[[], str]) -> None:
        self._read = read
        self.authorities = read()
        self.context = httpx.create_ssl_context()
        _load(self.context, self.authorities)

    @classmethod
    def of_file(cls, path: Path) -> ApiTrust:
        """Trust the CAs of a file. Raises ValueError."""
        return cls(lambda: read_authorities(path))

    @classmethod
    def of_text(cls, text: str) -> ApiTrust:
        """Trust the CAs of a text in PEM. Raises ValueError."""
        return cls(lambda: check_authorities(text))

    def refresh(self) -> bool:
        """Read the certificates again, and return whether there are others now."""
        try:
            authorities = self._read()
        except ValueError:
            return False
        if authorities == self.authorities:
            return False
        _load(self.context, authorities)
        self.authorities = authorities
        return True


class DefaultTrust(ssl.SSLContext):
    """The CAs that httpx trusts by default, loaded for the first connection by TLS.

    That takes 40 ms, which a client of an API by http does not need.
    """

    def __new__(cls) -> Self:
        """Return a context that trusts nobody by itself."""
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    @cached_property
    def _loaded(self) -> ssl.SSLContext:
        return httpx.create_ssl_context()

    def set_alpn_protocols(self, *args: Any, **options: Any) -> None:
        """Set the protocols to offer."""
        self._loaded.set_alpn_protocols(*args, **options)

    def wrap_socket(self, *args: Any, **options: Any) -> ssl.SSLSocket:
        """Begin TLS on a socket."""
        return self._loaded.wrap_socket(*args, **options)

    def wrap_bio(self, *args: Any, **options: Any) -> ssl.SSLObject:
        """Begin TLS within TLS, as behind a proxy."""
        return self._loaded.wrap_bio(*args, **options)


def untrusted_reason(error: BaseException) -> str:
    """Return why a certificate is not trusted, or nothing if an error has another cause."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return cause.verify_message
        cause = cause.__cause__ or cause.__context__
    return ""


def _load(context: ssl.SSLContext, authorities: str) -> None:
    try:
        context.load_verify_locations(cadata=authorities)
    except (ssl.SSLError, ValueError):
        raise ValueError("holds no certificate in PEM (-----BEGIN CERTIFICATE-----)") from None
