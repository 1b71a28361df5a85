"""Which roles reach which targets on the real network, from the start of a pod on."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from cluster import names
from cluster.isolation_page import page, short
from cluster.kubectl import apply, find, get, kubectl, namespace, until
from cluster.reach import (
    ELSEWHERE,
    JOBS,
    MAY,
    MOMENTS,
    ROLES,
    Target,
    pod,
    probe,
    targets,
    where,
)
from cluster.release import VIDEOS

PAGE = names.ROOT / "docs/isolation.md"
LATE_S = 3.0
"""Moments are met to this, in seconds, on a machine with other work too."""

Measured = dict[str, list[dict[str, object]]]


def _running(role: str, name: str) -> bool:
    found = find("pod", where(role), name)
    return bool(found and found["status"]["phase"] == "Running")


def _log(role: str, name: str) -> str:
    phase = get(f"pod/{name}", where(role))["status"]["phase"]
    assert phase != "Failed", kubectl("logs", "-n", where(role), name)
    return kubectl("logs", "-n", where(role), name) if phase == "Succeeded" else ""


@pytest.fixture(scope="module")
def asked(installed: None, outside: Path) -> list[Target]:
    """The targets; the operator has put its policies into the namespace of videos."""
    apply(namespace(ELSEWHERE))
    serve = ["python", "-m", "http.server", "8000", "--directory", "/app"]
    other = pod("other", "stranger", serve)
    other["metadata"]["labels"] = {"app": "other"}
    del other["spec"]["containers"][0]["readinessProbe"]
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "other", "namespace": ELSEWHERE},
        "spec": {"selector": {"app": "other"}, "ports": [{"port": 80, "targetPort": 8000}]},
    }
    apply(other, service)
    until("a pod elsewhere", lambda: _running("stranger", "other"))
    until("the job policies", lambda: len(get("networkpolicies", VIDEOS)) >= 3)
    return targets()


@pytest.fixture(scope="module")
def measured(asked: list[Target]) -> Measured:
    """What each role's fresh pod reached at each moment."""
    probes = {role: f"probe-{role}" for role in ROLES}
    for role, name in probes.items():
        kubectl("delete", "pod", "-n", where(role), name, "--ignore-not-found", "--now")
    apply(*(probe(name, role, asked) for role, name in probes.items()))
    return {
        role: json.loads(until(f"what {role} found", lambda r=role, n=name: _log(r, n)))
        for role, name in probes.items()
    }


def _reached(measured: Measured, role: str) -> set[str]:
    return {name for moment in measured[role] for name in moment["reached"]}  # type: ignore[attr-defined]


@pytest.mark.parametrize("role", ROLES)
def test_the_moments_were_met(measured: Measured, role: str) -> None:
    """The first try is made at the very start of the pod's process."""
    assert [moment["moment"] for moment in measured[role]] == list(MOMENTS)
    late = {m["moment"]: m["at_s"] for m in measured[role]}
    assert {m: s for m, s in late.items() if s > m + LATE_S and m in (0, 30)} == {}  # type: ignore[operator]


@pytest.mark.parametrize("role", ROLES)
def test_nothing_else_is_ever_reached(measured: Measured, asked: list[Target], role: str) -> None:
    """Not at any moment, not by any way."""
    forbidden = {target.name for target in asked if target.what not in MAY[role]}
    assert _reached(measured, role) & forbidden == set()


@pytest.mark.parametrize("role", ROLES)
def test_what_is_needed_is_reached(measured: Measured, asked: list[Target], role: str) -> None:
    """In the end, by each way."""
    needed = {target.name for target in asked if target.what in MAY[role]}
    assert needed - set(measured[role][-1]["reached"]) == set()  # type: ignore[call-overload]


def test_the_page_says_what_was_measured(measured: Measured, asked: list[Target]) -> None:
    """docs/isolation.md, and its part in the README. `CLIPMILL_WRITE_DOCS=1` writes the page."""
    reached = {role: _reached(measured, role) for role in ROLES}
    if os.environ.get("CLIPMILL_WRITE_DOCS"):
        PAGE.write_text(page(asked, reached))
    assert PAGE.read_text() == page(asked, reached)
    assert short(asked, reached) in (names.ROOT / "README.md").read_text()


@pytest.mark.parametrize("role", JOBS)
def test_no_job_pod_takes_traffic(measured: Measured, asked: list[Target], role: str) -> None:
    """A stranger does not reach a listening pod with a job's labels."""
    name = f"listener-{role}"
    kubectl("delete", "pod", "-n", VIDEOS, name, "--ignore-not-found", "--now")
    apply(pod(name, role, ["python", "-m", "http.server", "8000", "--directory", "/app"]))
    until("a listener", lambda: _running(role, name))
    address = get(f"pod/{name}", VIDEOS)["status"]["podIP"]
    stranger = f"caller-{role}"
    kubectl("delete", "pod", "-n", ELSEWHERE, stranger, "--ignore-not-found", "--now")
    there = Target("other", "pod IP", get("pod/other", ELSEWHERE)["status"]["podIP"], 8000)
    apply(probe(stranger, "stranger", [Target("job", "pod IP", address, 8000), there], (0, 1)))
    found = json.loads(until("what it found", lambda: _log("stranger", stranger)))
    assert {name for moment in found for name in moment["reached"]} == {there.name}
