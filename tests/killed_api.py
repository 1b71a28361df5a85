"""A process of the API that is killed again and again, and started again each time."""

from __future__ import annotations

import random
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from api_process import COMMAND, environment, free_port
from clipmill_api.context import Context
from clipmill_api.http.app import create_app
from clipmill_api.http.authentication import new_key
from clipmill_api.media.retention import sweep
from clipmill_api.settings import Settings
from clipmill_client import Client

# Longest time until the API is ready, on a busy machine.
START_S = 60


class KilledApi:
    """`python -m clipmill_api` on a port; each start of it is on the same state."""

    def __init__(self, folder: Path, database_url: str, **env: str) -> None:
        self.state, self.port, self.database_url = folder / "state", free_port(), database_url
        self.admin_key, self.operator_key = new_key("admin"), new_key("operator")
        more = {
            "CLIPMILL_ADMIN_KEY": self.admin_key,
            "CLIPMILL_OPERATOR_KEY": self.operator_key,
            **({"DATABASE_URL": database_url} if database_url else {}),
            **env,
        }
        self._environ = environment(self.state, self.port, **more)
        self._log = folder / "api.log"
        self.kills = 0

    def client(self, key: str) -> Client:
        """Return a client that does not retry."""
        # No TLS on the loopback: loading the certificates costs more than a request.
        transport = httpx.HTTPTransport(verify=False)
        return Client(f"http://127.0.0.1:{self.port}", key, attempts=1, transport=transport)

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        """Run the process; kill it at the end if it still runs."""
        with self._log.open("ab") as log:
            process = subprocess.Popen(COMMAND, env=self._environ, stdout=log, stderr=log)
        with process:
            try:
                self._wait_until_ready()
                yield process
            finally:
                process.kill()

    def _wait_until_ready(self) -> None:
        until = time.monotonic() + START_S
        with httpx.Client(verify=False) as http:
            while time.monotonic() < until:
                with suppress(httpx.TransportError):
                    if http.get(f"http://127.0.0.1:{self.port}/readyz").status_code == 200:
                        return
                time.sleep(0.1)
        raise AssertionError(self._log.read_text()[-2000:])

    def run_until(self, done: threading.Event, rng: random.Random, most_requests: int) -> None:
        """Run one process after the other, each for a few requests, until `done` is set.

        Requests are counted, not seconds, so that a slow machine makes progress too.
        """
        while not done.is_set():
            with self.running():
                last = self._requests() + rng.randint(1, most_requests)
                while self._requests() < last and not done.wait(0.02):
                    pass
                done.wait(rng.uniform(0, 0.2))  # into the next requests
            self.kills += not done.is_set()

    def _requests(self) -> int:
        """Return how many requests have been answered in all."""
        return self._log.read_bytes().count(b" HTTP/1.1")

    def stored(self) -> Context:
        """Return the context of the state after one sweep, with no process running."""
        settings = Settings(
            state=self.state,
            database_url=self.database_url,
            admin_key=self.admin_key,
            operator_key=self.operator_key,
        )
        ctx: Context = create_app(settings).state.context
        sweep(ctx)
        return ctx
