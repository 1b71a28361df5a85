"""kill -9 of server or job at each step of each upload: the compilation succeeds after all."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

import clipmaker
from clipmill.fault_points import API_UPLOAD_STEPS
from clipmill.protocol import TERMINAL_STATES, CompilationState, CompilationView
from clipmill.spec import Manifest
from clipmill_client.client import Client
from harness import SMALL
from served_api import Served, assert_nothing_lost
from sources_server import SourceServer, serve_sources

PURPOSES = ("clip", "segment", "output")
POINTS = (
    *(f"api.upload.{purpose}.{step}" for purpose in PURPOSES for step in API_UPLOAD_STEPS),
    *(f"job.upload.{purpose}.{step}" for purpose in PURPOSES for step in ("starting", "completed")),
    *(f"job.{stage}.{step}" for stage in ("fetch", "assemble") for step in ("claimed", "done")),
    "job.assemble.reported",
)
# Runs in each test run; the others take minutes together.
SHORT = ("api.upload.clip.stored", "api.upload.segment.bytes", "api.upload.output.published")
TIMEOUT_S = 90


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SourceServer]:
    """A clip of one second on a web server."""
    folder = tmp_path_factory.mktemp("web")
    clipmaker.clip(folder / "a.mp4", seconds=1)
    with serve_sources(folder) as server:
        yield server


def _manifest(url: str) -> Manifest:
    spec = {"clips": [{"url": url}], "outputs": [SMALL]}
    return Manifest.model_validate(
        {
            "apiVersion": "clipmill.dev/v1alpha1",
            "kind": "Compilation",
            "metadata": {"name": "killed"},
            "spec": spec,
        }
    )


def _wait(client: Client, compilation_id: str) -> CompilationView:
    until = Retrying(
        stop=stop_after_delay(TIMEOUT_S),
        wait=wait_fixed(0.2),
        retry=retry_if_result(lambda view: view.state not in TERMINAL_STATES),
    )
    view: CompilationView = until(client.compilation, compilation_id)
    return view


def _wait_for_kill(process: subprocess.Popen[str], mark: Path, point: str) -> None:
    """Wait until the server is killed, or until the job is: the server goes on then."""
    until = Retrying(
        stop=stop_after_delay(TIMEOUT_S), wait=wait_fixed(0.05), retry=retry_if_result(bool)
    )
    until(lambda: not mark.exists())
    if point.startswith("api."):
        assert process.wait(TIMEOUT_S) == -signal.SIGKILL


@pytest.mark.parametrize(
    "point",
    [pytest.param(p, marks=() if p in SHORT else pytest.mark.long) for p in POINTS],
)
def test_a_killed_upload_is_done_by_the_next_attempt(
    point: str, tmp_path: Path, web: SourceServer
) -> None:
    """Its bytes are stored and counted once, and no leftover stays."""
    served = Served.new(tmp_path, "--allow-private", web.address)
    with served.running(f"{point}:kill") as (process, client):
        submitted = client.create(_manifest(web.url("a.mp4")))
        _wait_for_kill(process, served.faults / point, point)
        if process.poll() is None:
            view = _wait(client, submitted.id)
    if point.startswith("api."):
        with served.running() as (_, client):
            view = _wait(client, submitted.id)
    assert (view.state, view.reason) == (CompilationState.SUCCEEDED, None)
    assert view.outputs[0].frames == 30
    assert_nothing_lost(served.stored())
