"""The isolation check: it waits for a NetworkPolicy and fails closed without one."""

import socket

import pytest

from clipmill.protocol import NOT_ISOLATED, ExitCode
from clipmill_job.errors import NotIsolatedError, exit_code, task_failure
from clipmill_job.isolation_check import POLICY_DELAY_S, is_reachable, wait_until_isolated

CANARIES = ["database.clipmill.svc:5432", "kubernetes.default.svc:443"]


class Network:
    """A network whose policies are in force after some seconds, with its own clock."""

    def __init__(self, enforced_after_s: float) -> None:
        self.now_s, self.enforced_after_s, self.tried = 0.0, enforced_after_s, set[str]()

    def is_reachable(self, canary: str) -> bool:
        self.tried.add(canary)
        return canary == CANARIES[1] and self.now_s < self.enforced_after_s

    def clock(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds

    def wait(self) -> None:
        wait_until_isolated(
            CANARIES, is_reachable=self.is_reachable, clock=self.clock, sleep=self.sleep
        )


@pytest.mark.parametrize("enforced_after_s", [0.0, 3.0, POLICY_DELAY_S])
def test_it_returns_when_the_policy_is_in_force(enforced_after_s: float) -> None:
    """A policy that comes late is waited for, and not a second longer."""
    network = Network(enforced_after_s)
    network.wait()
    assert network.now_s == enforced_after_s
    assert network.tried == set(CANARIES)


def test_it_fails_closed() -> None:
    """A canary that stays reachable is named by an error that is not retried."""
    network = Network(enforced_after_s=float("inf"))
    with pytest.raises(NotIsolatedError) as caught:
        network.wait()
    assert network.now_s == POLICY_DELAY_S
    assert CANARIES[1] in str(caught.value)
    assert CANARIES[0] not in str(caught.value)
    assert exit_code(caught.value) == ExitCode.NOT_ISOLATED == 66
    failure = task_failure(caught.value)
    assert (failure.code, failure.permanent) == (NOT_ISOLATED, True)


def test_without_canaries_nothing_is_tried() -> None:
    """A job on one machine has no canaries."""
    wait_until_isolated([], is_reachable=lambda canary: pytest.fail(f"tried {canary}"))


def test_reachability() -> None:
    """A listener is reachable; a closed port is not."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert is_reachable(f"127.0.0.1:{port}")
    assert not is_reachable(f"127.0.0.1:{port}")
