"""The certificate of the API, replaced while it runs.

Each new connection compares the files with those in use. A certificate that cert-manager or a
person has replaced is served from the next connection on; open connections go on.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile

from cryptography import x509
from prometheus_client import CollectorRegistry, Gauge

from clipmill_api.serving.own_certificate import LIFETIME, issue_certificate
from clipmill_api.serving.tls_settings import TlsSettings

log = logging.getLogger(__name__)
# A certificate of the API's own CA is replaced when this much of its lifetime is left.
RENEW_BEFORE = LIFETIME / 3


class BadCertificate(ValueError):
    """Files of TLS cannot be used; str() names them and the rule."""


class ServedCertificate:
    """A certificate with its key, in an SSL context for uvicorn.

    Args:
        tls: The settings, which name the files.
        clock: Returns the time now.

    Raises:
        BadCertificate: The files cannot be used.
    """

    def __init__(self, tls: TlsSettings, clock: Callable[[], datetime]) -> None:
        self._tls, self._clock = tls, clock
        self._files = self._read()
        self._newest, self.expires_at = self._load(self._files)
        # The context of all connections; the callback replaces the certificate of each.
        self.context = self._newest
        self.context.sni_callback = self._on_connection

    def register(self, registry: CollectorRegistry) -> None:
        """Serve the time of expiry as a metric."""
        gauge = Gauge(
            "clipmill_certificate_expiry_timestamp_seconds",
            "When the certificate that the API serves expires.",
            registry=registry,
        )
        gauge.set_function(self._expiry_timestamp)

    def _expiry_timestamp(self) -> float:
        return self.expires_at.timestamp()

    def _on_connection(
        self, connection: ssl.SSLSocket | ssl.SSLObject, _name: str | None, _: ssl.SSLContext
    ) -> None:
        try:
            self._reload()
        except (BadCertificate, OSError) as error:
            log.error("certificate not replaced cause=%s", error)
        connection.context = self._newest

    def _reload(self) -> None:
        """Load the files if they have changed, or a new certificate if it expires soon."""
        files = self._read()
        left = self.expires_at - self._clock()
        is_due = self._tls.ca is not None and left < RENEW_BEFORE
        if files == self._files and not is_due:
            return
        # Files that cannot be used are reported once, not on each connection.
        self._files = files
        self._newest, self.expires_at = self._load(files)
        log.warning("certificate replaced expires=%s", self.expires_at.isoformat())

    def _read(self) -> tuple[bytes, bytes]:
        certificate, key = self._tls.ca or self._tls.certificate, self._tls.ca_key or self._tls.key
        assert certificate is not None
        assert key is not None
        return _content(certificate), _content(key)

    def _load(self, files: tuple[bytes, bytes]) -> tuple[ssl.SSLContext, datetime]:
        try:
            pair = b"\n".join(files)
            if self._tls.ca:
                pair = issue_certificate(*files, self._tls.names, self._clock())
            context = _context_of(pair)
            return context, x509.load_pem_x509_certificates(pair)[0].not_valid_after_utc
        except (ssl.SSLError, ValueError) as error:
            variables = "CLIPMILL_TLS_CERTIFICATE and CLIPMILL_TLS_KEY"
            paths = f"{self._tls.certificate} and {self._tls.key}"
            if self._tls.ca:
                variables = "CLIPMILL_TLS_CA and CLIPMILL_TLS_CA_KEY"
                paths = f"{self._tls.ca} and {self._tls.ca_key}"
            rule = "they must be a certificate and its key in PEM"
            raise BadCertificate(f"{variables}: {paths}: {rule} ({error})") from None


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadCertificate(f"CLIPMILL_TLS_*: {path}: {error.strerror}") from None


def _context_of(pair: bytes) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # Python loads certificates from files only; this one is readable by its owner alone.
    with NamedTemporaryFile(suffix=".pem") as file:
        file.write(pair)
        file.flush()
        context.load_cert_chain(file.name)
    return context
