"""Secrets that an install generates, against a server that responds like Kubernetes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import httpx
import pytest

from clipmill_api.settings import Settings
from clipmill_operator.initial_secrets import SecretNotCreated, create_once, random_secret

KEYS = ("admin-key=cm_a_", "operator-key=cm_o_", "owner-key=cm_u_")


class SecretsHandler(BaseHTTPRequestHandler):
    """Creates each name once, in one namespace only."""

    stored: ClassVar[dict[str, Any]] = {}

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = body["metadata"]["name"]
        status = 409 if name in self.stored else 201
        if self.path != "/api/v1/namespaces/clipmill/secrets":
            status = 403
        else:
            self.stored.setdefault(name, body)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def api_server() -> Iterator[httpx.Client]:
    """Return a client of the server."""
    SecretsHandler.stored = {}
    with ThreadingHTTPServer(("127.0.0.1", 0), SecretsHandler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        with httpx.Client(base_url=f"http://127.0.0.1:{server.server_port}") as client:
            yield client
        server.shutdown()
        thread.join()


def test_a_secret_is_generated_once(api_server: httpx.Client) -> None:
    """The second start leaves the keys unchanged."""
    first = random_secret("clipmill-keys", KEYS)
    assert create_once(api_server, "clipmill", first) is True
    assert create_once(api_server, "clipmill", random_secret("clipmill-keys", KEYS)) is False
    assert SecretsHandler.stored == {"clipmill-keys": first}


def test_the_api_accepts_generated_keys(tmp_path: Path) -> None:
    """Format and strength are checked by the API's settings; each key is another one."""
    data = random_secret("clipmill-keys", KEYS)["stringData"]
    settings = Settings(
        state=tmp_path,
        admin_key=data["admin-key"],
        operator_key=data["operator-key"],
        default_owner="default",
        default_owner_key=data["owner-key"],
    )
    assert settings.admin_key != random_secret("clipmill-keys", KEYS)["stringData"]["admin-key"]


def test_a_refusal_names_the_secret(api_server: httpx.Client) -> None:
    """Name, namespace and status, and none of the values."""
    generated = random_secret("clipmill-keys", KEYS)
    with pytest.raises(SecretNotCreated, match=r"clipmill-keys in closed: 403") as refused:
        create_once(api_server, "closed", generated)
    assert generated["stringData"]["admin-key"] not in str(refused.value)
