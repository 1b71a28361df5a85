"""A `clipmill serve` that a test kills and starts again, and what it left behind."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from clipmill_api.context import Context
from clipmill_api.http.app import create_app
from clipmill_api.http.authentication import new_key
from clipmill_api.media.retention import sweep
from clipmill_api.settings import Settings
from clipmill_client.client import Client
from commandline import started
from harness import Harness
from manifests import ROOT

LEASE_S = 5
FIRST_LINES = 6


@dataclass(frozen=True, slots=True)
class Served:
    """The state folder, keys and options of a server."""

    folder: Path
    keys: dict[str, str]
    options: tuple[str, ...] = ()

    @classmethod
    def new(cls, folder: Path, *options: str) -> Served:
        """Return a server with new keys."""
        roles = {"ADMIN": "admin", "OPERATOR": "operator", "API": "user"}
        keys = {f"CLIPMILL_{name}_KEY": new_key(role) for name, role in roles.items()}
        return cls(folder, keys, options)

    @property
    def state(self) -> Path:
        """The state folder."""
        return self.folder / "state"

    @property
    def faults(self) -> Path:
        """The folder with a file for each fault that has happened."""
        return self.folder / "faults"

    def log(self) -> str:
        """Return what the servers wrote to stderr."""
        return (self.folder / "serve.log").read_text()

    @contextmanager
    def running(
        self, fault: str = "", **env: str
    ) -> Iterator[tuple[subprocess.Popen[str], Client]]:
        """Run the server; yield its process and a client of the user `local`."""
        self.faults.mkdir(exist_ok=True)
        environ = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **self.keys, **env}
        environ["CLIPMILL_LEASE_SECONDS"] = str(LEASE_S)
        if fault:
            path = str(ROOT / "tests")
            environ |= {"CLIPMILL_FAULT": fault, "CLIPMILL_FAULT_FOLDER": str(self.faults)}
            environ["PYTHONPATH"] = path
        words = ("serve", "--port", "0", "--state", self.state, *self.options)
        with (self.folder / "serve.log").open("a") as log:
            process = started(*words, env=environ, stdout=subprocess.PIPE, stderr=log)
        with process:
            assert process.stdout is not None
            head = [process.stdout.readline() for _ in range(FIRST_LINES)]
            assert head[0], self.log()
            try:
                with Client(head[0].split()[-1], self.keys["CLIPMILL_API_KEY"]) as client:
                    yield process, client
            finally:
                process.terminate()
                process.wait(60)

    def stored(self) -> Context:
        """Return the context of the state after one sweep, with no server running."""
        settings = Settings(
            state=self.state,
            admin_key=self.keys["CLIPMILL_ADMIN_KEY"],
            operator_key=self.keys["CLIPMILL_OPERATOR_KEY"],
        )
        ctx: Context = create_app(settings).state.context
        sweep(ctx)
        return ctx


def assert_nothing_lost(ctx: Context) -> None:
    """No unfinished upload, no spooled byte, no double usage; all bytes are there and counted."""
    rows = Harness.rows_of(ctx, "SELECT id FROM uploads WHERE complete = false")
    assert rows == []
    assert ctx.spool.ids() == []
    usage = Harness.rows_of(ctx, "SELECT compilation_id, generation FROM render_usage")
    assert len(usage) == 1
    media = Harness.rows_of(ctx, "SELECT owner, sha256, size_bytes FROM media")
    segments = Harness.rows_of(ctx, "SELECT owner, sha256, size_bytes FROM segments")
    for row in media + segments:
        content = b"".join(ctx.store.read(row["owner"], row["sha256"], 0, row["size_bytes"]))
        assert hashlib.sha256(content).hexdigest() == row["sha256"]
    used = Harness.rows_of(ctx, "SELECT storage_used_bytes FROM users WHERE name = 'local'")
    assert used[0]["storage_used_bytes"] == sum(row["size_bytes"] for row in media)
