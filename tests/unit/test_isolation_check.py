"""The isolation check: it waits for a NetworkPolicy and fails closed without one."""

import socket

import pytest

from clipmill.protocol import CANARY_UNRESOLVED, NOT_ISOLATED, ExitCode
from clipmill_job.errors import CanaryUnresolvedError, NotIsolatedError, exit_code, task_failure
from clipmill_job.isolation_check import POLICY_DELAY_S, Reach, try_address, wait_until_isolated
from clipmill_job.isolation_test import OPEN_WITHIN_S, main, wait_until_open

CANARIES = ["database.clipmill.svc:5432", "kubernetes.default.svc:443"]


class Network:
    """A network whose policies are in force after some seconds, with its own clock."""

    def __init__(self, enforced_after_s: float) -> None:
        self.now_s, self.enforced_after_s, self.tried = 0.0, enforced_after_s, set[str]()

    def try_canary(self, canary: str) -> Reach:
        self.tried.add(canary)
        is_open = canary == CANARIES[1] and self.now_s < self.enforced_after_s
        return Reach.REACHED if is_open else Reach.CLOSED

    def clock(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds

    def wait(self) -> None:
        wait_until_isolated(
            CANARIES, try_canary=self.try_canary, clock=self.clock, sleep=self.sleep
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
    wait_until_isolated([], try_canary=lambda canary: pytest.fail(f"tried {canary}"))


class UnresolvedNetwork(Network):
    """A network in which the name of one canary resolves late, or never."""

    def try_canary(self, canary: str) -> Reach:
        is_unresolved = canary == CANARIES[0] and self.now_s < self.enforced_after_s
        return Reach.UNRESOLVED if is_unresolved else Reach.CLOSED


def test_a_canary_that_does_not_resolve_is_an_error_of_configuration() -> None:
    """It says nothing about the isolation: the generation fails, and names the setting."""
    network = UnresolvedNetwork(float("inf"))
    with pytest.raises(CanaryUnresolvedError, match="CLIPMILL_CANARIES") as caught:
        network.wait()
    assert network.now_s == POLICY_DELAY_S
    assert CANARIES[0] in str(caught.value)
    assert CANARIES[1] not in str(caught.value)
    assert exit_code(caught.value) == ExitCode.NOT_ISOLATED
    failure = task_failure(caught.value)
    assert (failure.code, failure.permanent) == (CANARY_UNRESOLVED, True)


def test_a_name_that_resolves_late_is_waited_for() -> None:
    """DNS may be slow right after the start of a pod."""
    network = UnresolvedNetwork(3.0)
    network.wait()
    assert network.now_s == 3.0


def test_reachability() -> None:
    """A listener is reachable; a closed port is not; a name without an address is neither."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert try_address(f"127.0.0.1:{port}") is Reach.REACHED
    assert try_address(f"127.0.0.1:{port}") is Reach.CLOSED
    assert try_address("no-such-name.invalid:5432") is Reach.UNRESOLVED


def test_helm_test_reports_each_address(capsys: pytest.CaptureFixture[str]) -> None:
    """What is open, what is closed; exit code 0 if all is as expected."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        free = socket.create_server(("127.0.0.1", 0))
        closed = f"127.0.0.1:{free.getsockname()[1]}"
        free.close()
        assert main([f"--open={address}", f"--closed={closed}"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"ok: {address} can be reached",
        f"ok: {closed} cannot be reached",
    ]


def test_helm_test_fails_where_a_closed_address_is_open(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And where a name does not resolve."""
    monkeypatch.setattr("clipmill_job.isolation_check.POLICY_DELAY_S", 0.0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        assert main([f"--closed={address}"]) == 1
    assert f"FAILED: this pod can reach {address}" in capsys.readouterr().out
    assert main(["--closed=no-such-name.invalid:1"]) == 1
    assert "does not resolve" in capsys.readouterr().out


def test_an_open_address_is_waited_for() -> None:
    """For some time: the API may start."""
    network = Network(enforced_after_s=float("inf"))
    how = {"try_canary": network.try_canary, "clock": network.clock, "sleep": network.sleep}
    assert wait_until_open(CANARIES[1], **how)
    assert not wait_until_open(CANARIES[0], **how)
    assert network.now_s == OPEN_WITHIN_S
