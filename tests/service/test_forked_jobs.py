"""Jobs of a local run that are forked from one process, which has loaded their modules."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clipmill.protocol import ExitCode, Stage
from clipmill_cli.local.job_processes import JobLauncher, JobProcess
from clipmill_cli.local.job_starts.fork_server import ForkServer
from harness import Harness, library_clip, running
from pods import url


@pytest.fixture(scope="module")
def fork_server() -> Iterator[ForkServer]:
    """A process that jobs are forked from."""
    with ForkServer().preload() as server:
        yield server


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """An API on SQLite, as in a local run."""
    with running(tmp_path_factory.mktemp("state"), allow_any_host=True) as harness:
        yield harness


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "timed out"
        time.sleep(0.02)


def end_of(job: JobProcess) -> int | None:
    """Return the exit code of a job once it has ended."""
    wait_for(lambda: job.poll() is not None)
    return job.poll()


def test_a_forked_job_renders(
    local: Harness, fork_server: ForkServer, two_seconds: Path, tmp_path: Path
) -> None:
    """It stores its segment, ends with 0, and its scratch folder is deleted."""
    owner, user = local.user()
    media = library_clip(user, two_seconds)
    uid, _ = local.register(owner, {"clips": [{"mediaId": media.id}]})
    key = local.operator.create_key(uid, Stage.RENDER, 1)
    job = JobLauncher(local.url, tmp_path, fork_server=fork_server)(Stage.RENDER, 0, key)
    assert end_of(job) == ExitCode.OK
    stored = local.rows("SELECT key FROM segments WHERE owner = :owner", owner=owner)
    assert len(stored) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["render-0.log"]


def test_jobs_of_one_process_are_apart(
    local: Harness, fork_server: ForkServer, tmp_path: Path
) -> None:
    """Each has its own key, log, folder and session; what it is refused is the end of its log."""
    owner, _ = local.user()
    uid, _ = local.register(owner, {"clips": [{"url": url()}]})
    launch = JobLauncher(local.url, tmp_path, fork_server=fork_server)
    refused = launch(Stage.RENDER, 1, "cm_j_unknown")
    waiting = launch(Stage.RENDER, 2, local.operator.create_key(uid, Stage.RENDER, 1))
    assert end_of(refused) == ExitCode.LEASE_LOST
    assert refused.last_line().startswith("Unauthorized")
    pid = waiting.pid  # type: ignore[attr-defined]
    assert waiting.poll() is None
    assert os.getsid(pid) == pid
    assert Path(f"/proc/{pid}/cwd").readlink().parent == tmp_path
    assert b"cm_j_" not in Path(f"/proc/{pid}/environ").read_bytes()
    waiting.terminate()
    assert waiting.poll() == -signal.SIGTERM
    assert not list(tmp_path.glob("*-*-*"))


def test_jobs_start_without_a_process_that_has_ended(local: Harness, tmp_path: Path) -> None:
    """A job that ran when the process was killed counts as one to try again, and others start."""
    owner, _ = local.user()
    uid, _ = local.register(owner, {"clips": [{"url": url()}]})
    with ForkServer() as server:
        launch = JobLauncher(local.url, tmp_path, fork_server=server)
        key = local.operator.create_key(uid, Stage.RENDER, 1)
        running_job = launch(Stage.RENDER, 0, key)
        server._process.kill()  # type: ignore[union-attr]
        os.kill(running_job.pid, signal.SIGKILL)  # type: ignore[attr-defined]
        assert end_of(running_job) == ExitCode.RETRY
        other = launch(Stage.RENDER, 1, "cm_j_unknown")
        assert end_of(other) == ExitCode.LEASE_LOST
