"""The Secrets that an install draws for itself, against a server that answers like Kubernetes."""

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
from clipmill_operator.initial_secrets import NotMade, create, secret

KEYS = ("admin-key=cm_a_", "operator-key=cm_o_", "owner-key=cm_u_")


class Secrets(BaseHTTPRequestHandler):
    """Makes each name once; the namespace `closed` is closed."""

    kept: ClassVar[dict[str, Any]] = {}

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = body["metadata"]["name"]
        status = 409 if name in self.kept else 201
        if self.path != "/api/v1/namespaces/clipmill/secrets":
            status = 403
        else:
            self.kept.setdefault(name, body)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def api_server() -> Iterator[httpx.Client]:
    """A client of the server."""
    Secrets.kept = {}
    with ThreadingHTTPServer(("127.0.0.1", 0), Secrets) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        with httpx.Client(base_url=f"http://127.0.0.1:{server.server_port}") as client:
            yield client
        server.shutdown()
        thread.join()


def test_a_secret_is_drawn_once(api_server: httpx.Client) -> None:
    """The second start leaves the first one's keys as they are."""
    first = secret("clipmill-keys", KEYS)
    assert create(api_server, "clipmill", first) is True
    assert create(api_server, "clipmill", secret("clipmill-keys", KEYS)) is False
    assert Secrets.kept == {"clipmill-keys": first}


def test_the_drawn_keys_are_such_as_the_api_takes(tmp_path: Path) -> None:
    """Form and strength are the API's own rule; no two draws are alike."""
    data = secret("clipmill-keys", KEYS)["stringData"]
    told = Settings(
        state=tmp_path,
        admin_key=data["admin-key"],
        operator_key=data["operator-key"],
        default_owner="default",
        default_owner_key=data["owner-key"],
    )
    assert told.admin_key != secret("clipmill-keys", KEYS)["stringData"]["admin-key"]


def test_a_refusal_says_which_secret_and_why(api_server: httpx.Client) -> None:
    """And shows none of the values."""
    wanted = secret("clipmill-keys", KEYS)
    with pytest.raises(NotMade, match=r"clipmill-keys.* in closed: 403") as refused:
        create(api_server, "closed", wanted)
    assert wanted["stringData"]["admin-key"] not in str(refused.value)
