"""Downloaders are forked from one process with yt-dlp; each is its own process in all else."""

from __future__ import annotations

import json
import os
import socket
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from clipmill_job import subprocesses
from clipmill_job.fetching.fetch_task import DOWNLOADER
from operating import until
from sources_server import serve_sources

SERVER = "clipmill_job.fetching.downloader_process"


@pytest.fixture(autouse=True)
def _no_server() -> Any:
    DOWNLOADER.server.close()
    yield
    DOWNLOADER.server.close()


def servers() -> list[psutil.Process]:
    """Return the server of this process, if it runs."""
    return [p for p in psutil.Process().children() if SERVER in p.cmdline()]


def request(url: str, folder: Path, private: str) -> bytes:
    """Return the request of a download from a private address."""
    fields = {
        "url": url,
        "authorities": "",
        "folder": str(folder),
        "limit_bytes": 10_000_000,
        "private": [private],
        "spans": [],
        "ffmpeg": "ffmpeg",
        "javascript": "qjs",
        "proxy": "",
        "proxy_address": None,
        "private_proxies": [],
        "cookies": "",
    }
    return json.dumps(fields).encode()


def run(scratch: Path, stdin: bytes, deadline_s: float = 60) -> list[dict[str, Any]]:
    """Return the lines of one downloader."""
    lines: list[str] = []
    subprocesses.run(
        DOWNLOADER, deadline_s=deadline_s, scratch=scratch, stdin=stdin, on_line=lines.append
    )
    return [json.loads(line) for line in lines]


def test_two_downloads_of_one_process(two_seconds: Path, tmp_path: Path) -> None:
    """The second one starts no new process; each writes into its own folder."""
    seen = []
    with serve_sources(two_seconds.parent) as served:
        for name in ("one", "two"):
            folder = tmp_path / name
            folder.mkdir()
            url = served.url(two_seconds.name)
            (last,) = run(tmp_path, request(url, folder, served.address))[-1]["files"]
            assert Path(last["path"]).parent == folder
            assert Path(last["path"]).read_bytes() == two_seconds.read_bytes()
            seen.append([server.pid for server in servers()])
    assert seen[0] == seen[1]
    assert len(seen[0]) == 1


def test_a_lost_server_is_started_again(tmp_path: Path) -> None:
    """A request that is no JSON ends its own process only; a killed server is replaced."""
    pids = set()
    for _ in range(2):
        with pytest.raises(subprocesses.ProcessFailed, match="JSONDecodeError"):
            run(tmp_path, b"no JSON")
        (server,) = servers()
        assert server.children() == []
        pids.add(server.pid)
        server.kill()
        server.wait()
    assert len(pids) == 2


def test_a_download_goes_on_without_its_server(two_seconds: Path, tmp_path: Path) -> None:
    """The server is killed while one runs; a new process downloads it again."""
    killed, lines = [], []
    folder = tmp_path / "download"
    folder.mkdir()
    with serve_sources(two_seconds.parent) as served:
        held = f"held/{two_seconds.name}"

        def kill_server() -> None:
            if not killed and served.requests_of(held):
                killed.append(servers()[0])
                killed[0].kill()
                served.release()

        url = served.url(held)
        subprocesses.run(
            DOWNLOADER,
            deadline_s=60,
            scratch=tmp_path,
            stdin=request(url, folder, served.address),
            check_cancelled=kill_server,
            on_line=lines.append,
        )
    assert len(killed) == 1
    (file,) = json.loads(lines[-1])["files"]
    assert Path(file["path"]).read_bytes() == two_seconds.read_bytes()


def test_a_download_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At its deadline, with its folder and environment as in a process of its own."""
    monkeypatch.setenv("CLIPMILL_API_KEY", "not-for-a-downloader")
    folders: set[str] = set()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"

        def check_child() -> None:
            for child in servers()[0].children() if servers() else []:
                folders.add(os.readlink(f"/proc/{child.pid}/cwd"))
                assert b"CLIPMILL" not in Path(f"/proc/{child.pid}/environ").read_bytes()

        with pytest.raises(subprocesses.DeadlineExceeded):
            subprocesses.run(
                DOWNLOADER,
                deadline_s=5,
                scratch=tmp_path,
                stdin=request(f"http://{address}/clip.mp4", tmp_path, address),
                check_cancelled=check_child,
            )
    assert str(tmp_path) in folders
    until("the download has ended", lambda: not servers()[0].children())


def test_the_deadline_counts_for_both_attempts(tmp_path: Path) -> None:
    """A server that is killed late leaves the rest of the time to the new process."""
    deadline_s, killed = 5, []
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        began = time.monotonic()

        def kill_server() -> None:
            if not killed and time.monotonic() > began + 0.8 * deadline_s:
                killed.append(servers()[0])
                killed[0].kill()

        with pytest.raises(subprocesses.DeadlineExceeded):
            subprocesses.run(
                DOWNLOADER,
                deadline_s=deadline_s,
                scratch=tmp_path,
                stdin=request(f"http://{address}/clip.mp4", tmp_path, address),
                check_cancelled=kill_server,
            )
    assert len(killed) == 1
    assert time.monotonic() - began < 1.6 * deadline_s
