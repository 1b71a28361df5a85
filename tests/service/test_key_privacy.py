"""No process of the same user can read a key from a program of ours."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tenacity import retry, stop_after_delay, wait_fixed

from api_process import environment, free_port, status_of
from clipmill_api.http.authentication import new_key

# Stands for a media program that a hostile file has taken over: it searches what /proc shows.
SEARCH = """
import glob, sys
found = 0
for path in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline"):
    try:
        found += sys.argv[1].encode() in open(path, "rb").read()
    except OSError:
        pass
for maps in glob.glob("/proc/[0-9]*/maps"):
    pid = maps.split("/")[2]
    try:
        regions = [line.split()[:2] for line in open(maps)] if pid in sys.argv[2:] else []
        memory = open(f"/proc/{pid}/mem", "rb") if regions else None
    except OSError:
        continue
    for span, mode in regions:
        start, end = (int(edge, 16) for edge in span.split("-"))
        if "rw" not in mode:
            continue
        try:
            memory.seek(start)
            found += sys.argv[1].encode() in memory.read(end - start)
        except (OSError, ValueError):
            pass
print(found)
"""
# Root without capabilities has the rights of any other user.
UNPRIVILEGED = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if os.geteuid() == 0 else ()

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or (bool(UNPRIVILEGED) and shutil.which("setpriv") is None),
    reason="needs Linux, and setpriv where tests run as root",
)


def places_of(key: str, pid: int) -> int:
    """Return how many places in /proc show a key to a process of the same user.

    The key is split in the search's own arguments, which /proc shows too.
    """
    search = SEARCH.replace("sys.argv[1]", f"({key[:20]!r} + sys.argv[1])")
    argv = (*UNPRIVILEGED, sys.executable, "-c", search, key[20:], str(pid))
    return int(subprocess.run(argv, check=True, capture_output=True, text=True).stdout)


@contextmanager
def started(argv: list[str], env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program without capabilities, and end it."""
    with subprocess.Popen(
        [*UNPRIVILEGED, *argv], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as program:
        yield program
        program.kill()


def test_an_ordinary_program_shows_its_key() -> None:
    """The search finds what there is to find."""
    key = secrets.token_urlsafe(32)
    code = "import time; time.sleep(60)"
    with started([sys.executable, "-c", code], {**os.environ, "KEY": key}) as program:

        @retry(wait=wait_fixed(0.1), stop=stop_after_delay(10))
        def shown() -> None:
            assert places_of(key, program.pid) > 0

        shown()


def test_the_api_shows_no_key(tmp_path: Path) -> None:
    """Neither the administrator's nor the operator's, which its prober's child could read."""
    port = free_port()
    env = environment(tmp_path, port)
    with started([sys.executable, "-m", "clipmill_api"], env) as api:
        assert status_of(port, "/healthz") == 200
        for name in ("CLIPMILL_ADMIN_KEY", "CLIPMILL_OPERATOR_KEY"):
            assert places_of(env[name], api.pid) == 0


def test_serve_shows_no_key(tmp_path: Path) -> None:
    """The command line's server, whose children are jobs and the prober."""
    port = free_port()
    env = environment(tmp_path, port)
    argv = [sys.executable, "-c", "from clipmill_cli.main import main; main()", "serve"]
    with started([*argv, "--port", str(port), "--state", str(tmp_path)], env) as server:
        assert status_of(port, "/healthz") == 200
        for name in ("CLIPMILL_ADMIN_KEY", "CLIPMILL_OPERATOR_KEY"):
            assert places_of(env[name], server.pid) == 0


def test_a_job_shows_no_key(tmp_path: Path) -> None:
    """A job that waits for its assignment holds its key in memory only, unreadable to others."""
    key = new_key("job")
    env = {
        "PATH": os.environ["PATH"],
        "CLIPMILL_API_URL": f"http://127.0.0.1:{free_port()}",
        "CLIPMILL_API_KEY": key,
        "TMPDIR": str(tmp_path),
    }
    with started([sys.executable, "-m", "clipmill_job"], env) as job:

        @retry(wait=wait_fixed(0.1), stop=stop_after_delay(20))
        def has_started() -> None:
            assert list(tmp_path.iterdir())

        has_started()
        assert places_of(key, job.pid) == 0
