"""An API process with HTTPS, its files, and the certificates that connections get."""

from __future__ import annotations

import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import httpx
from cryptography import x509
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from api_process import COMMAND, environment, free_port
from clipmill_api.serving.own_certificate import issue_certificate
from clipmill_client.certificate_trust import ApiTrust
from clipmill_client.client import Client
from clipmill_operator.initial_authority import new_authority

NAMES = ("localhost", "127.0.0.1")


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA that may sign for the loopback."""

    certificate: str
    key: str

    @classmethod
    def new(cls) -> Authority:
        """Return another CA of the same name."""
        entries = new_authority(NAMES, datetime.now(UTC))
        return cls(entries["ca.crt"], entries["ca.key"])

    @property
    def trust(self) -> ApiTrust:
        """What a client trusts."""
        return ApiTrust.of_text(self.certificate)

    def write_pair(self, folder: Path) -> int:
        """Write a new certificate and its key. Return its serial number."""
        now = datetime.now(UTC)
        pair = issue_certificate(self.certificate.encode(), self.key.encode(), NAMES, now)
        certificate, marker, key = pair.partition(b"-----BEGIN PRIVATE KEY-----")
        (folder / "tls.crt").write_bytes(certificate)
        (folder / "tls.key").write_bytes(marker + key)
        return x509.load_pem_x509_certificate(certificate).serial_number


@dataclass(frozen=True, slots=True)
class TlsApi:
    """A running API and its keys."""

    url: str
    environ: dict[str, str]
    authority: Authority
    folder: Path

    @property
    def port(self) -> int:
        """Its port on the loopback."""
        return int(self.environ["CLIPMILL_PORT"])

    def client(self, role: str, trust: ApiTrust | None = None) -> Client:
        """Return a client of the administrator or the operator, or of a key."""
        key = self.environ.get(f"CLIPMILL_{role}_KEY", role)
        return Client(self.url, key, attempts=3, trust=trust or self.authority.trust)

    def served(self) -> int:
        """Return the serial number of the certificate that a new connection gets."""
        return serial_number(self.port, self.authority)


def serial_number(port: int, authority: Authority) -> int:
    """Return the serial number of the certificate of a new, verified connection."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        authority.trust.context.wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        der = connection.getpeercert(binary_form=True)
    assert der is not None
    return x509.load_der_x509_certificate(der).serial_number


@contextmanager
def tls_api(folder: Path, **more: str) -> Iterator[TlsApi]:
    """Run an API with a certificate of a new CA in `tls.crt` and `tls.key` of a folder."""
    authority, port = Authority.new(), free_port()
    authority.write_pair(folder)
    files = {
        "CLIPMILL_TLS_CERTIFICATE": str(folder / "tls.crt"),
        "CLIPMILL_TLS_KEY": str(folder / "tls.key"),
        "CLIPMILL_SAMPLES": "true",
        "CLIPMILL_ALLOW_PRIVATE": f"localhost:{port}",
    }
    environ = environment(folder / "state", port, **files, **more)
    with (folder / "api.log").open("w") as log:
        process = subprocess.Popen(COMMAND, env=environ, stdout=log, stderr=log)
    try:
        url = f"https://localhost:{port}"
        Retrying(
            retry=retry_if_exception_type(httpx.TransportError),
            wait=wait_fixed(0.1),
            stop=stop_after_delay(30),
        )(httpx.get, f"{url}/healthz", verify=authority.trust.context)
        yield TlsApi(url, environ, authority, folder)
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def handshakes(context: ssl.SSLContext) -> Iterator[int]:
    """Accept TLS connections on a port of the loopback, and yield it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept() -> None:
            while True:
                try:
                    plain, _ = listening.accept()
                    context.wrap_socket(plain, server_side=True).close()
                except ssl.SSLError:
                    continue
                except OSError:
                    return

        thread = Thread(target=accept, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(10)
