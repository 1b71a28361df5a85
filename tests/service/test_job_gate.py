"""The isolation gate: a job that can reach what it must not waits, and then fetches nothing."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from clipmill.contract import ClipState, ExitCode, Stage
from clipmill_job import gate
from clipmill_job.__main__ import main
from clipmill_job.errors import GiveUp
from clipmill_job.gate import wait_until_closed
from harness import running
from sources_server import serving

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def canary() -> Iterator[socket.socket]:
    """A place that can be reached."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def test_out_of_reach_opens_the_gate(canary: socket.socket) -> None:
    """A refused connection is what a policy looks like."""
    place = canary.getsockname()
    canary.close()
    wait_until_closed(place, wait_s=0)


def test_a_policy_that_comes_late_is_waited_for(canary: socket.socket) -> None:
    """In reach at first, then not: the gate opens, after at least one look that was refused."""

    def close_after_the_first() -> None:
        canary.accept()[0].close()
        canary.close()

    late = Thread(target=close_after_the_first)
    late.start()
    wait_until_closed(canary.getsockname(), wait_s=30, pause_s=0)
    late.join()


def test_what_stays_in_reach_is_given_up(canary: socket.socket) -> None:
    """The message names the place and what is missing."""
    place = canary.getsockname()
    with pytest.raises(GiveUp, match=rf"127\.0\.0\.1:{place[1]} is in reach 0 s after"):
        wait_until_closed(place, wait_s=0)


def test_a_pod_that_is_not_isolated_fetches_nothing(
    canary: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 64, the clip says NotIsolated, and the source never saw a request."""
    monkeypatch.setattr(gate, "PATIENCE_S", 0)
    port = canary.getsockname()[1]
    with serving(tmp_path) as web, running(tmp_path / "state", allow_private=(web.place,)) as api:
        owner, _ = api.user()
        uid, _ = api.register(owner, {"clips": [{"url": web.url("a.mp4")}]})
        told = {
            "CLIPMILL_API_URL": api.url,
            "CLIPMILL_API_KEY": api.operator.mint(uid, Stage.FETCH, 1),
            "CLIPMILL_CANARY": f"127.0.0.1:{port}",
        }
        assert main(told) == ExitCode.GIVE_UP
        clip = api.operator.view(uid).clips[0]
        assert (clip.state, clip.reason) == (ClipState.SKIPPED, "NotIsolated")
        assert web.asked("a.mp4") == 0


def test_a_canary_that_is_no_place_stops_the_start(capfd: pytest.CaptureFixture[str]) -> None:
    """A setting that would leave the gate open by mistake is refused."""
    told = {"CLIPMILL_API_URL": "http://127.0.0.1:1", "CLIPMILL_API_KEY": "k"}
    assert main({**told, "CLIPMILL_CANARY": "kubernetes"}) == ExitCode.GIVE_UP
    assert "CLIPMILL_CANARY is 'kubernetes', not host:port" in capfd.readouterr().err
