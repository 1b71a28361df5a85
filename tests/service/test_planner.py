"""Large plans are made by a process of low priority, which holds no key and may end at any time."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clipmill.protocol import ClipState
from clipmill.spec import CompilationSpec
from clipmill_api.database import UNAVAILABLE, no_answer
from clipmill_api.planner import plan_process
from clipmill_api.planner.__main__ import reply_to
from clipmill_api.planner.plan_calls import MIN_ITEMS, DryRun, StoredPlan, StoredTimeline
from clipmill_client.client import Client
from clipmill_client.errors import PermanentError, RetryableError
from harness import SMALL, Harness, new_manifest, running

CARD = {"color": "#102030", "duration": "1s"}
OUTPUTS = [{**SMALL, "name": f"o{i}", "width": 320 - 2 * i} for i in range(4)]
LARGE: dict[str, Any] = {"clips": [CARD] * (MIN_ITEMS // 4), "outputs": OUTPUTS}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """One API."""
    with running(tmp_path_factory.mktemp("state"), allow_any_host=True) as harness:
        yield harness


def planner_of(api: Harness) -> int:
    """Return the pid of the API's planner."""
    child = api.ctx.plan_process._child
    assert child is not None
    pid: int = child.pid
    return pid


def dry_run(user: Client, **spec: Any) -> dict[str, Any]:
    """Return the plan of a manifest as the API sends it."""
    manifest = new_manifest("m-1", **{**LARGE, **spec}).model_dump(mode="json", by_alias=True)
    plan: dict[str, Any] = user.connection.request("POST", "/api/plan", json=manifest).json()
    return plan


def without_ids(plan: dict[str, Any]) -> dict[str, Any]:
    """Return a plan without the random ids of clips that are not stored."""
    return {**plan, "clips": [{**clip, "id": ""} for clip in plan["clips"]]}


def test_the_process_plans_what_the_api_would(api: Harness) -> None:
    """Dry run, stored plan and timeline are byte for byte those of a call in this process."""
    owner, user = api.user()
    plan = dry_run(user)
    spec = CompilationSpec.model_validate(LARGE)
    here = json.loads(DryRun(owner, spec).run(api.ctx))
    assert without_ids(plan) == without_ids(here)
    assert sum(len(output["items"]) for output in plan["outputs"]) == MIN_ITEMS
    assert {clip["state"] for clip in plan["clips"]} == {ClipState.READY}
    uid, _ = api.register(owner, LARGE)
    stored = api.operator.view(uid).id
    reply = user.connection.request("GET", f"/api/compilations/{stored}/plan")
    assert reply.content == StoredPlan(owner, stored).run(api.ctx)
    timeline = user.connection.request("GET", f"/api/compilations/{stored}/timeline.otio")
    assert timeline.content == StoredTimeline(owner, stored, None).run(api.ctx)
    assert timeline.headers["content-disposition"].endswith("test-o0.otio")


def test_small_plans_start_no_process(tmp_path: Path) -> None:
    """They would wait for its start."""
    with running(tmp_path / "state") as api:
        _, user = api.user()
        dry_run(user, clips=[CARD])
        assert api.ctx.plan_process._child is None


def test_the_process_holds_no_key_and_steps_back(api: Harness) -> None:
    """Its environment is empty, its settings have no key, and its priority is low."""
    dry_run(api.user()[1])
    pid = planner_of(api)
    environ = Path(f"/proc/{pid}/environ").read_bytes()
    assert environ.rstrip(b"\0").split(b"\0") == [b"LANG=C.UTF-8"]
    assert os.getpriority(os.PRIO_PROCESS, pid) == os.getpriority(os.PRIO_PROCESS, 0) + 10
    settings = api.ctx.plan_process._settings.model_dump_json()
    assert api.settings.admin_key not in settings
    assert api.settings.operator_key not in settings


def test_refusals_of_the_process_are_those_of_the_api(api: Harness) -> None:
    """Status, code and facts arrive."""
    _, user = api.user()
    unknown = {"clips": [*LARGE["clips"], {"mediaId": "m-0000000000000000"}]}
    with pytest.raises(PermanentError) as refused:
        dry_run(user, **unknown)
    assert refused.value.code == "UnknownMedia"
    assert refused.value.status == 422
    other = api.user()[1]
    uid, _ = api.register(api.user()[0], LARGE)
    with pytest.raises(PermanentError) as foreign:
        other.plan(api.operator.view(uid).id)
    assert foreign.value.code == "NotFound"


def test_a_killed_process_is_replaced(api: Harness) -> None:
    """The next plan starts another one; no request fails."""
    _, user = api.user()
    dry_run(user)
    killed = planner_of(api)
    os.kill(killed, signal.SIGKILL)
    assert len(dry_run(user, title="again")["outputs"]) == len(OUTPUTS)
    assert planner_of(api) != killed


def test_a_process_that_hangs_is_replaced(api: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its call is answered 503, the next one by another process."""
    _, user = api.user()
    dry_run(user)
    stopped = planner_of(api)
    os.kill(stopped, signal.SIGSTOP)
    monkeypatch.setattr(plan_process, "TIMEOUT_S", 0.1)
    with pytest.raises(RetryableError) as busy:
        dry_run(user, title="hangs")
    assert (busy.value.status, busy.value.code) == (503, "PlannerBusy")
    monkeypatch.undo()
    assert len(dry_run(user, title="after")["outputs"]) == len(OUTPUTS)
    assert planner_of(api) != stopped


def test_a_plan_does_not_wait_for_ever(api: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another plan is made for too long, 503 is answered."""
    _, user = api.user()
    monkeypatch.setattr(plan_process, "MAX_WAIT_S", 0.05)
    with api.ctx.plan_process._lock, pytest.raises(RetryableError) as busy:
        dry_run(user)
    assert (busy.value.status, busy.value.code) == (503, "PlannerBusy")


class Failing:
    """A call that raises."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def count_items(self, _: object, /) -> int:
        """Return a size that the process is for."""
        return MIN_ITEMS

    def run(self, _: object) -> bytes:
        """Raise the error."""
        raise self._error


def test_errors_of_the_process_are_told_apart(api: Harness) -> None:
    """A database that does not answer is retryable; an unexpected error names its cause."""
    now = api.ctx.now()
    with pytest.raises(UNAVAILABLE):
        reply_to(api.ctx, Failing(no_answer("locked")), now).content()
    with pytest.raises(RuntimeError, match="ZeroDivisionError: why"):
        reply_to(api.ctx, Failing(ZeroDivisionError("why")), now).content()


def test_the_process_ends_with_the_api(tmp_path: Path) -> None:
    """It does not outlive the connection."""
    with running(tmp_path / "state") as api:
        dry_run(api.user()[1])
        pid = planner_of(api)
        assert Path(f"/proc/{pid}").exists()
    assert not Path(f"/proc/{pid}").exists()
