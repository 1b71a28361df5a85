"""The isolation gate: waits for the network's policies, opens nothing when they do not come."""

import socket

import pytest

from clipmill.protocol import NOT_ISOLATED, ExitCode
from clipmill_job import isolation_check
from clipmill_job.errors import NotIsolated

CANARIES = ["database.clipmill.svc:5432", "kubernetes.default.svc:443"]


class Network:
    """A network whose policies come in force after some seconds; its own clock."""

    def __init__(self, closes_s: float) -> None:
        self.now_s, self.closes_s, self.asked = 0.0, closes_s, set[str]()

    def answers(self, canary: str) -> bool:
        self.asked.add(canary)
        return canary == CANARIES[1] and self.now_s < self.closes_s

    def clock(self) -> float:
        return self.now_s

    def pause(self, wait_s: float) -> None:
        self.now_s += wait_s

    def hold(self) -> None:
        isolation_check.hold(CANARIES, answers=self.answers, clock=self.clock, pause=self.pause)


@pytest.mark.parametrize("closes_s", [0.0, 3.0, isolation_check.PATIENCE_S])
def test_opens_as_soon_as_no_canary_answers(closes_s: float) -> None:
    """A policy that comes late is waited for, and not a second longer."""
    network = Network(closes_s)
    network.hold()
    assert network.now_s == closes_s
    assert network.asked == set(CANARIES)


def test_fails_closed() -> None:
    """A canary that answers to the end is named, by an error that no retry follows."""
    network = Network(closes_s=float("inf"))
    with pytest.raises(NotIsolated, match=r"still reaches kubernetes\.default\.svc:443") as raised:
        network.hold()
    assert network.now_s == isolation_check.PATIENCE_S
    assert raised.value.exit_code == ExitCode.NOT_ISOLATED == 66
    failure = raised.value.failure()
    assert (failure.code, failure.permanent) == (NOT_ISOLATED, True)


def test_without_canaries_nothing_is_tried() -> None:
    """On one machine there is no network to ask."""
    isolation_check.hold([], answers=lambda canary: pytest.fail(f"asked {canary}"))


def test_what_answers() -> None:
    """A listener answers; a closed port and an unknown name do not."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert isolation_check.answers(f"127.0.0.1:{port}")
    assert not isolation_check.answers(f"127.0.0.1:{port}")
