"""The quota ledger adds up after any order of submissions, edits, results and cancellations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from clipmill.protocol import TERMINAL_STATES, Stage
from clipmill_client.errors import PermanentError
from harness import Harness, library_clip, new_manifest
from ledger_rows import open_reservations, render_window


def value_or_code(call: Callable[[], str]) -> str:
    """Return the result of a call, or the code of its refusal."""
    try:
        return call()
    except PermanentError as error:
        return error.code


class LedgerMachine(RuleBasedStateMachine):
    """Random histories of one owner. Each clip takes 2 s of render time."""

    api: Harness
    clip: Path
    LIMIT = 9

    def __init__(self) -> None:
        super().__init__()
        self.owner, self.user = self.api.user(render_limit_seconds=self.LIMIT)
        self.media = library_clip(self.user, self.clip)
        self.active: list[str] = []
        self.used = 0

    @rule(clips=st.integers(1, 3))
    def submit(self, clips: int) -> None:
        """Accept a submission that fits the limit, refuse any other."""
        manifest = new_manifest(self.media.id, clips=[{"mediaId": self.media.id}] * clips)
        fits = sum(render_window(self.api, self.owner)) + 2 * clips <= self.LIMIT
        result = value_or_code(lambda: self.user.create(manifest).id)
        if fits:
            self.active.append(result)
        else:
            assert result == "QuotaExceeded"

    @precondition(lambda self: self.active)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        """Release a reservation once, although it is cancelled twice."""
        compilation_id = data.draw(st.sampled_from(self.active))
        self.user.cancel(compilation_id)
        self.user.cancel(compilation_id)
        self.active.remove(compilation_id)

    @precondition(lambda self: self.active)
    @rule(data=st.data(), clips=st.integers(1, 3))
    def edit(self, data: st.DataObject, clips: int) -> None:
        """Reserve for the new generation instead of the old one; a refusal changes nothing."""
        compilation_id = data.draw(st.sampled_from(self.active))
        before = render_window(self.api, self.owner)
        clip = [{"mediaId": self.media.id}] * clips
        spec = new_manifest(self.media.id, clips=clip).spec
        edited = value_or_code(lambda: self.user.edit(compilation_id, spec).id)
        if edited != compilation_id:
            assert render_window(self.api, self.owner) == before

    @precondition(lambda self: self.active)
    @rule(data=st.data())
    def record_usage(self, data: st.DataObject) -> None:
        """Settle by the legacy worker API, once, although it is called twice."""
        compilation_id = data.draw(st.sampled_from(self.active))
        sql = "SELECT uid, generation FROM compilations WHERE id = :c"
        row = self.api.rows(sql, c=compilation_id)[0]
        job = self.api.job(row["uid"], Stage.ASSEMBLE, row["generation"])
        for _ in range(2):
            usage = job.legacy.record_render_usage(self.owner, project_id=compilation_id, seconds=0)
        self.used += usage["seconds"]
        self.user.cancel(compilation_id)
        self.active.remove(compilation_id)

    @invariant()
    def ledger_adds_up(self) -> None:
        """Used and reserved seconds agree with the rows and stay within the limit."""
        used, reserved = render_window(self.api, self.owner)
        assert used + reserved <= self.LIMIT
        assert reserved == sum(open_reservations(self.api, self.owner))
        assert used == self.used
        states = [self.user.compilation(compilation_id).state for compilation_id in self.active]
        assert not set(states) & TERMINAL_STATES

    def teardown(self) -> None:
        """Cancel what is active: nothing stays reserved."""
        for compilation_id in self.active:
            self.user.cancel(compilation_id)
        assert render_window(self.api, self.owner)[1] == 0


def test_the_ledger_adds_up_after_any_history(api: Harness, two_seconds: Path) -> None:
    """Every step keeps the invariant."""

    class MachineOfApi(LedgerMachine):
        pass

    MachineOfApi.api, MachineOfApi.clip = api, two_seconds
    MachineOfApi.TestCase.settings = settings(
        max_examples=4,
        stateful_step_count=8,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    MachineOfApi.TestCase().runTest()


def test_terminal_revisions_have_no_open_reservation(api: Harness) -> None:
    """No test with this API has left one."""
    sql = (
        "SELECT count(*) AS n FROM reservations q JOIN revisions r ON"
        " r.compilation_id = q.compilation_id AND r.generation = q.generation WHERE"
        " q.state = 'open' AND r.state IN ('Succeeded', 'Failed', 'Cancelled', 'Superseded')"
    )
    assert api.rows(sql) == [{"n": 0}]
