"""Many at once, on both databases: quota, uploads, fetches, ends and edits. The rows are read."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from clipmill.protocol import ENDS, MediaKind, Result, Stage, State, UploadPurpose
from clipmill.spec import CompilationSpec, Manifest
from clipmill_api.media import uploads
from clipmill_client.client import Client
from clipmill_client.errors import ClientError, PermanentError, RetryableError
from harness import SMALL, Harness, library_clip
from pods import announcement, assemble, fetch, url

T = TypeVar("T")


def at_once(work: Callable[[int], T], many: int = 16) -> list[T | ClientError]:
    """The same work by so many threads at the same time: what each got."""

    def one(i: int) -> T | ClientError:
        try:
            return work(i)
        except ClientError as error:
            return error

    with ThreadPoolExecutor(many) as pool:
        return list(pool.map(one, range(many)))


def manifest(media_id: str, **spec: Any) -> Manifest:
    """A manifest of one clip of the library."""
    return Manifest.model_validate(
        {
            "apiVersion": "clipmill.dev/v1alpha1",
            "kind": "Compilation",
            "metadata": {"name": "race"},
            "spec": {"clips": [{"mediaId": media_id}], "outputs": [SMALL], **spec},
        }
    )


def window(api: Harness, owner: str) -> tuple[int, int]:
    """(used, reserved) seconds of the month, from the table."""
    rows = api.rows("SELECT used_s, reserved_s FROM render_windows WHERE owner = :o", o=owner)
    return (rows[0]["used_s"], rows[0]["reserved_s"]) if rows else (0, 0)


def open_reservations(api: Harness, owner: str) -> list[int]:
    """The seconds of each reservation that is open."""
    sql = "SELECT seconds FROM reservations WHERE owner = :o AND state = 'open'"
    return [row["seconds"] for row in api.rows(sql, o=owner)]


def test_quota_is_never_oversold(api: Harness, two_seconds: Path) -> None:
    """Sixteen submissions of 2 s against 11 s: five are taken, and the ledger adds up."""
    owner, user = api.user(render_limit_seconds=11)
    media = library_clip(user, two_seconds)
    got = at_once(lambda i: user.create(manifest(media.id), f"key-{i}"))
    refused = [error for error in got if isinstance(error, PermanentError)]
    assert len(got) - len(refused) == 5
    assert {error.code for error in refused} == {"QuotaExceeded"}
    assert window(api, owner) == (0, 10)
    assert open_reservations(api, owner) == [2] * 5


def test_storage_is_never_oversold(api: Harness, two_seconds: Path, tmp_path: Path) -> None:
    """Sixteen announcements of other bytes against room for three: three are taken."""
    size = two_seconds.stat().st_size
    owner, user = api.user(storage_limit_bytes=3 * size + 10)
    asked = announcement(two_seconds, UploadPurpose.LIBRARY, kind=MediaKind.CLIP)

    def announce(i: int) -> object:
        other = asked.model_copy(update={"sha256": f"{i:064x}"})
        return user.wire.send("POST", "/api/uploads", body=other)

    got = at_once(announce)
    assert sum(not isinstance(one, ClientError) for one in got) == 3
    assert user.account().storage_used_bytes == 3 * size
    sql = "SELECT count(*) AS n, sum(reserved_bytes) AS b FROM uploads WHERE owner = :o"
    assert api.rows(sql, o=owner) == [{"n": 3, "b": 3 * size}]


def test_same_bytes_at_once_count_once(api: Harness, two_seconds: Path) -> None:
    """Eight uploads of the same bytes as different announcements: one row, counted once."""
    owner, user = api.user()
    clients = [api.client(api.admin.mint(owner)) for _ in range(8)]

    def upload(i: int) -> str:
        return clients[i].upload_media(two_seconds, MediaKind.CLIP, f"name-{i}.mp4").id

    got = at_once(upload, 8)
    assert len(set(map(str, got))) == 1
    size = two_seconds.stat().st_size
    sql = "SELECT size_bytes FROM media WHERE owner = :o"
    assert api.rows(sql, o=owner) == [{"size_bytes": size}]
    assert user.account().storage_used_bytes == size


def test_one_announcement_at_once_is_one_upload(api: Harness, two_seconds: Path) -> None:
    """The same announcement by eight threads reserves storage once."""
    _, user = api.user()
    asked = announcement(two_seconds, UploadPurpose.LIBRARY, kind=MediaKind.CLIP)
    got = at_once(lambda _: user.wire.send("POST", "/api/uploads", body=asked).json()["id"], 8)
    assert len(set(got)) == 1
    assert user.account().storage_used_bytes == two_seconds.stat().st_size


def test_one_clip_is_fetched_once(api: Harness, two_seconds: Path) -> None:
    """Eight compilations ask for one clip at once: one pod fetches, the others wait for it."""
    owner, _ = api.user()
    where = url()
    uids = [api.register(owner, {"clips": [{"url": where}]})[0] for _ in range(8)]
    jobs = [api.job(uid, Stage.FETCH) for uid in uids]
    orders = at_once(lambda i: jobs[i].order(0, f"pod-{i}"), 8)
    fetching = [i for i, order in enumerate(orders) if not isinstance(order, ClientError)]
    waiting = [order for order in orders if isinstance(order, ClientError)]
    assert len(fetching) == 1
    assert {error.code for error in waiting if isinstance(error, RetryableError)} == {
        "FetchInProgress"
    }
    fetch(PodNamed(jobs[fetching[0]], f"pod-{fetching[0]}"), 0, two_seconds)
    for i in set(range(8)) - set(fetching):
        assert jobs[i].order(0, f"pod-{i}").fetch is None
    assert api.rows("SELECT count(*) AS n FROM media WHERE owner = :o", o=owner) == [{"n": 1}]
    assert {api.operator.view(uid).state for uid in uids} == {State.RENDERING}


class PodNamed(Client):
    """A job's client that goes on under the name it claimed with."""

    def __init__(self, job: Client, name: str) -> None:
        self.__dict__.update(job.__dict__)
        self._name = name

    def order(self, index: int, holder: str) -> Any:
        """Claim under the fixed name."""
        return super().order(index, self._name)


def test_finished_at_once_is_settled_once(api: Harness, two_seconds: Path) -> None:
    """Eight reports of one result: one usage row, settled once, one state."""
    owner, user = api.user(render_limit_seconds=100)
    media = library_clip(user, two_seconds)
    uid, plan = api.register(owner, {"clips": [{"mediaId": media.id}]})
    job = api.job(uid, Stage.ASSEMBLE)
    sent: list[Result] = []
    at_last = job.result
    job.result = sent.append  # type: ignore[method-assign]  # hold the report back
    assemble(job, two_seconds)
    got = at_once(lambda _: at_last(sent[0]), 8)
    assert [error for error in got if error is not None] == []
    assert window(api, owner) == (2, 0)
    sql = "SELECT seconds FROM render_usage WHERE compilation_id = :c"
    assert api.rows(sql, c=plan.compilation_id) == [{"seconds": 2}]


def test_cancel_against_finish(api: Harness, two_seconds: Path) -> None:
    """Cancelled and finished at the same moment: one of both, and the ledger fits the state."""
    owner, user = api.user(render_limit_seconds=100)
    media = library_clip(user, two_seconds)
    for _ in range(4):
        uid, plan = api.register(owner, {"clips": [{"mediaId": media.id}]})
        job = api.job(uid, Stage.ASSEMBLE)
        sent: list[Result] = []
        finish = job.result
        job.result = sent.append  # type: ignore[method-assign]
        assemble(job, two_seconds)
        compilation_id = str(plan.compilation_id)
        used = window(api, owner)[0]
        at_once(lambda i: finish(sent[0]) if i % 2 else user.cancel(compilation_id), 6)  # noqa: B023
        view = api.operator.view(uid)
        assert view.state in (State.SUCCEEDED, State.CANCELLED)
        done = view.state is State.SUCCEEDED
        assert window(api, owner) == (used + 2 * done, 0)
        sql = "SELECT state FROM reservations WHERE compilation_id = :c"
        wanted = "settled" if done else "released"
        assert api.rows(sql, c=compilation_id) == [{"state": wanted}]


def test_edits_at_once_are_one_after_the_other(api: Harness, two_seconds: Path) -> None:
    """Eight different edits: eight generations, one of them live, one reservation open."""
    owner, user = api.user(render_limit_seconds=100)
    media = library_clip(user, two_seconds)
    made = user.create(manifest(media.id))
    specs = [manifest(media.id, title=f"T{i}").spec for i in range(8)]
    got = at_once(lambda i: user.edit(made.id, specs[i]), 8)
    assert [error for error in got if isinstance(error, ClientError)] == []
    sql = "SELECT state FROM revisions WHERE compilation_id = :c ORDER BY generation"
    states = [row["state"] for row in api.rows(sql, c=made.id)]
    assert states == ["Superseded"] * 8 + ["Rendering"]
    assert open_reservations(api, owner) == [2]
    assert window(api, owner) == (0, 2)


def test_the_same_edit_at_once_is_one(api: Harness, two_seconds: Path) -> None:
    """Eight times the same edit: one new generation."""
    _, user = api.user()
    media = library_clip(user, two_seconds)
    made = user.create(manifest(media.id))
    spec: CompilationSpec = manifest(media.id, title="T").spec
    at_once(lambda _: user.edit(made.id, spec), 8)
    assert user.compilation(made.id).generation == 2


def test_one_key_at_once_is_one_compilation(api: Harness, two_seconds: Path) -> None:
    """Eight sendings of one Idempotency-Key: one compilation, reserved once."""
    owner, user = api.user(render_limit_seconds=100)
    media = library_clip(user, two_seconds)
    got = at_once(lambda _: user.create(manifest(media.id), "one").id, 8)
    assert len(set(map(str, got))) == 1
    assert window(api, owner) == (0, 2)


def test_one_registration_at_once_is_one(api: Harness, two_seconds: Path) -> None:
    """The operator tells of one generation eight times at once: one row, one reservation."""
    owner, user = api.user(render_limit_seconds=100)
    media = library_clip(user, two_seconds)
    spec = {"clips": [{"mediaId": media.id}]}
    uid, _ = api.register(owner, spec)
    got = at_once(lambda _: api.register(owner, spec, uid=uid)[1].generation, 8)
    fresh = at_once(lambda _: api.register(owner, spec, uid=uid + "x")[1].compilation_id, 8)
    assert set(got) == {1}
    assert len(set(map(str, fresh))) == 1
    assert window(api, owner) == (0, 4)


# --- conservation -----------------------------------------------------------------------------


def outcome(call: Callable[[], str]) -> str:
    """What a call answers, or the code of its refusal."""
    try:
        return call()
    except PermanentError as error:
        return error.code


class Ledger(RuleBasedStateMachine):
    """Any order of submitting, finishing, cancelling and editing keeps the books straight."""

    api: Harness
    clip: Path
    LIMIT = 9

    def __init__(self) -> None:
        super().__init__()
        self.owner, self.user = self.api.user(render_limit_seconds=self.LIMIT)
        self.media = library_clip(self.user, self.clip)
        self.live: list[str] = []
        self.used = 0

    @rule(clips=st.integers(1, 3))
    def submit(self, clips: int) -> None:
        """Taken when it fits, refused when it does not."""
        spec = {"clips": [{"mediaId": self.media.id}] * clips}
        fits = sum(window(self.api, self.owner)) + 2 * clips <= self.LIMIT
        made = outcome(lambda: self.user.create(manifest(self.media.id, **spec)).id)
        if fits:
            self.live.append(made)
        else:
            assert made == "QuotaExceeded"

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        """Released in full, also when cancelled twice."""
        one = data.draw(st.sampled_from(self.live))
        self.user.cancel(one)
        self.user.cancel(one)
        self.live.remove(one)

    @precondition(lambda self: self.live)
    @rule(data=st.data(), clips=st.integers(1, 3))
    def edit(self, data: st.DataObject, clips: int) -> None:
        """The old generation's seconds are free for the new one; a refusal changes nothing."""
        one = data.draw(st.sampled_from(self.live))
        before = window(self.api, self.owner)
        clip = [{"mediaId": self.media.id}] * clips
        spec = manifest(self.media.id, clips=clip).spec
        if outcome(lambda: self.user.edit(one, spec).id) != one:
            assert window(self.api, self.owner) == before

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def record(self, data: st.DataObject) -> None:
        """Settled by the worker's word, once: the seconds move from reserved to used."""
        one = data.draw(st.sampled_from(self.live))
        sql = "SELECT uid, generation FROM compilations WHERE id = :c"
        row = self.api.rows(sql, c=one)[0]
        job = self.api.job(row["uid"], Stage.ASSEMBLE, row["generation"])
        for _ in range(2):
            told = job.guide.record_render_usage(self.owner, project_id=one, seconds=0)
        self.used += told.seconds
        self.user.cancel(one)
        self.live.remove(one)

    @invariant()
    def adds_up(self) -> None:
        """used + reserved is what the rows say, and never above the limit."""
        used, reserved = window(self.api, self.owner)
        assert used + reserved <= self.LIMIT
        assert reserved == sum(open_reservations(self.api, self.owner))
        assert used == self.used
        states = [self.user.compilation(one).state for one in self.live]
        assert not set(states) & ENDS

    def teardown(self) -> None:
        """With nothing live, nothing is reserved."""
        for one in self.live:
            self.user.cancel(one)
        assert window(self.api, self.owner)[1] == 0


def test_the_ledger_is_conserved(api: Harness, two_seconds: Path) -> None:
    """The books are straight after every step of any history."""

    class OfThisApi(Ledger):
        pass

    OfThisApi.api, OfThisApi.clip = api, two_seconds
    OfThisApi.TestCase.settings = settings(
        max_examples=4,
        stateful_step_count=8,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    OfThisApi.TestCase().runTest()


def test_nothing_else_is_left_open(api: Harness) -> None:
    """After all of the above no ended generation has an open reservation."""
    sql = (
        "SELECT count(*) AS n FROM reservations q JOIN revisions r ON"
        " r.compilation_id = q.compilation_id AND r.generation = q.generation WHERE"
        " q.state = 'open' AND r.state IN ('Succeeded', 'Failed', 'Cancelled', 'Superseded')"
    )
    assert api.rows(sql) == [{"n": 0}]


def test_the_same_segment_by_two_compilations_is_two_uploads(
    api: Harness, two_seconds: Path
) -> None:
    """Each job sends its own bytes: none is cut off when the other's are published."""
    owner, user = api.user()
    media_id = library_clip(user, two_seconds).id
    uids = [api.register(owner, {"clips": [{"mediaId": media_id}]})[0] for _ in range(2)]
    ids = []
    for uid in uids:
        job = api.job(uid, Stage.ASSEMBLE)
        order = job.order(0, "pod")
        asked = announcement(
            two_seconds, UploadPurpose.PIECE, segment_key="0" * 64, epoch=order.epoch
        )
        ids.append(job.wire.send("POST", "/api/uploads", body=asked).json()["id"])
    assert len(set(ids)) == 2


def test_who_completes_second_gets_what_the_first_made(
    api: Harness, two_seconds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A repeated request finds the bytes published and gone: the answer is the same upload."""
    _, user = api.user()
    asked = announcement(two_seconds, UploadPurpose.LIBRARY, kind=MediaKind.CLIP)
    upload_id = user.wire.send("POST", "/api/uploads", body=asked).json()["id"]
    where = f"/api/uploads/{upload_id}"
    headers = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    user.wire.once("PATCH", where, content=two_seconds.read_bytes(), headers=headers)
    examined = uploads._examined

    def slow(*given: Any) -> Any:
        monkeypatch.setattr(uploads, "_examined", examined)
        user.wire.send("POST", f"{where}/complete")
        return examined(*given)

    monkeypatch.setattr(uploads, "_examined", slow)
    again = user.wire.send("POST", f"{where}/complete").json()
    assert (again["complete"], again["id"]) == (True, upload_id)
    assert user.account().storage_used_bytes == two_seconds.stat().st_size
