"""A compilation's life through the API: registered, fetched, assembled, settled. Rows are read."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from clipmill.protocol import (
    NOT_ISOLATED,
    ClipFailure,
    ClipState,
    FailedTasks,
    Heartbeat,
    MediaKind,
    Result,
    Stage,
    State,
    UploadPurpose,
)
from clipmill.spec import CompilationSpec, Manifest
from clipmill_client.errors import PermanentError, RetryableError
from clipmill_client.transfer import sha256_of
from harness import SMALL, Harness, library_clip
from pods import announcement, assemble, fetch, url


def test_from_registration_to_usage(api: Harness, two_seconds: Path) -> None:
    """Fetch, assemble, succeed: one usage row, a settled reservation, a repeat that is harmless."""
    owner, user = api.user(render_limit_seconds=100)
    uid, plan = api.register(owner, {"clips": [{"url": url()}]})
    assert (plan.state, plan.to_fetch) == (State.FETCHING, [0])
    assert plan.quota.estimated_seconds == 60
    assert user.account().render_reserved_seconds == 60
    fetch(api.job(uid, Stage.FETCH), 0, two_seconds)
    plan = api.operator.plan(uid)
    assert (plan.state, plan.outputs[0].frames, plan.outputs[0].exact) == (
        State.RENDERING,
        60,
        True,
    )
    assert user.account().render_reserved_seconds == 2
    job = api.job(uid, Stage.ASSEMBLE)
    result = assemble(job, two_seconds)
    job.result(result)
    view = api.operator.view(uid)
    assert (view.state, view.percent, view.degraded) == (State.SUCCEEDED, 100, False)
    assert view.outputs[0].sha256 == sha256_of(two_seconds)
    assert view.outputs[0].frames == 60
    account = user.account()
    assert (account.render_used_seconds, account.render_reserved_seconds) == (2, 0)
    sql = "SELECT seconds, generation FROM render_usage WHERE compilation_id = :c"
    assert api.rows(sql, c=view.id) == [{"seconds": 2, "generation": 1}]
    sql = "SELECT state FROM reservations WHERE compilation_id = :c"
    assert api.rows(sql, c=view.id) == [{"state": "settled"}]


def test_the_operator_reads_what_has_not_ended(api: Harness, two_seconds: Path) -> None:
    """With the uid it asks by, until the end."""
    owner, user = api.user()
    media = library_clip(user, two_seconds)
    uid, _ = api.register(owner, {"clips": [{"mediaId": media.id}]})

    def mine() -> list[tuple[str, State]]:
        found = api.operator.active(2000)  # other tests leave some
        return [(one.uid, one.state) for one in found if one.owner == owner]

    assert mine() == [(uid, State.RENDERING)]
    api.operator.gone(uid)
    assert mine() == []


def test_output_comes_back_whole_and_by_range(
    api: Harness, two_seconds: Path, tmp_path: Path
) -> None:
    """A finished video is downloaded, resumed from a part, and read by Range."""
    owner, user = api.user()
    media = library_clip(user, two_seconds)
    uid, _ = api.register(owner, {"clips": [{"mediaId": media.id}]})
    assemble(api.job(uid, Stage.ASSEMBLE), two_seconds)
    compilation_id = api.operator.view(uid).id
    data = two_seconds.read_bytes()
    (tmp_path / "main.mp4.part").write_bytes(data[:1000])
    user.download_output(compilation_id, "main.mp4", tmp_path / "main.mp4")
    assert (tmp_path / "main.mp4").read_bytes() == data
    where = f"/api/compilations/{compilation_id}/outputs/main"
    reply = user.wire.once("GET", where, headers={"Range": "bytes=10-19"})
    assert (reply.status_code, reply.content) == (206, data[10:20])
    assert reply.headers["content-range"] == f"bytes 10-19/{len(data)}"
    etag = f'"{hashlib.sha256(data).hexdigest()}"'
    assert reply.headers["etag"] == etag
    assert user.wire.once("GET", where, headers={"If-None-Match": etag}).status_code == 304
    with pytest.raises(PermanentError) as refused:
        user.wire.once("GET", where, headers={"Range": f"bytes={len(data)}-"})
    assert refused.value.status == 416


def test_one_url_is_fetched_once(api: Harness, two_seconds: Path) -> None:
    """Twice in one edit and again in another compilation: one fetch, one media row."""
    owner, _ = api.user()
    where = url()
    clips = [{"url": where}, {"url": where + "#t=3"}, {"url": url()}]
    uid, plan = api.register(owner, {"clips": clips, "onClipError": "Skip"})
    assert (plan.to_fetch, plan.tasks.fetch) == ([0, 1], 2)
    fetch(api.job(uid, Stage.FETCH), 0, two_seconds)
    states = [clip.state for clip in api.operator.plan(uid).clips]
    assert states == [ClipState.READY, ClipState.READY, ClipState.WAITING]
    _, again = api.register(owner, {"clips": [{"url": where}]})
    assert (again.to_fetch, again.clips[0].reused) == ([], True)
    sql = "SELECT count(*) AS n FROM media WHERE owner = :o"
    assert api.rows(sql, o=owner) == [{"n": 1}]


def test_two_jobs_do_not_fetch_one_clip_at_once(api: Harness, two_seconds: Path) -> None:
    """The second waits, and is served by the first one's media."""
    owner, _ = api.user()
    where = url()
    first, _ = api.register(owner, {"clips": [{"url": where}]})
    second, _ = api.register(owner, {"clips": [{"url": where}]})
    one, two = api.job(first, Stage.FETCH), api.job(second, Stage.FETCH)
    one.order(0, "pod-0")
    with pytest.raises(RetryableError) as wait:
        two.order(0, "pod-1")
    assert wait.value.code == "FetchInProgress"
    fetch(one, 0, two_seconds)
    assert two.order(0, "pod-1").fetch is None
    assert api.operator.plan(second).state is State.RENDERING


def test_leases_fence_out_the_older_holder(api: Harness, two_seconds: Path) -> None:
    """A second pod waits for the lease; then it holds the part and the first one is refused."""
    owner, _ = api.user()
    uid, _ = api.register(owner, {"clips": [{"url": url()}]})
    job = api.job(uid, Stage.FETCH)
    first = job.order(0, "pod-a")
    assert job.order(0, "pod-a").epoch == first.epoch
    with pytest.raises(RetryableError) as held:
        job.order(0, "pod-b")
    assert held.value.code == "Leased"
    api.clock.advance(61)
    assert job.order(0, "pod-b").epoch == first.epoch + 1
    with pytest.raises(PermanentError) as lost:
        job.heartbeat(Heartbeat(index=0, epoch=first.epoch, percent=5))
    assert lost.value.code == "LeaseLost"
    assert first.fetch is not None
    late = announcement(
        two_seconds, UploadPurpose.CLIP, clip_id=first.fetch.clip_id, epoch=first.epoch
    )
    with pytest.raises(PermanentError) as fenced:
        job.upload(two_seconds, late)
    assert fenced.value.code == "LeaseLost"


def test_skipped_clip_degrades_and_is_named(api: Harness, two_seconds: Path) -> None:
    """One clip gone: the rest is rendered, and the view says which and why."""
    owner, _ = api.user()
    uid, _ = api.register(owner, {"clips": [{"url": url()}, {"url": url(), "name": "lost"}]})
    job = api.job(uid, Stage.FETCH)
    fetch(job, 0, two_seconds)
    order = job.order(1, "pod-1")
    failure = ClipFailure(code="SourceGone", message="404 of the platform")
    job.result(Result(index=1, epoch=order.epoch, failure=failure))
    view = api.operator.view(uid)
    assert (view.state, view.degraded) == (State.RENDERING, True)
    assert [(c.name, c.reason) for c in view.clips if c.reason] == [("lost", "SourceGone")]
    assert api.operator.plan(uid).outputs[0].frames == 60


@pytest.mark.parametrize("stage", Stage)
def test_a_pod_that_is_not_isolated_fails_all(
    api: Harness, two_seconds: Path, stage: Stage
) -> None:
    """It is no fault of the clip: nothing is skipped, the generation ends, its quota is free."""
    owner, user = api.user(render_limit_seconds=100)
    uid, _ = api.register(owner, {"clips": [{"url": url()}]})
    if stage is not Stage.FETCH:
        fetch(api.job(uid, Stage.FETCH), 0, two_seconds)
    job = api.job(uid, stage)
    order = job.order(0, "pod-1")
    message = "this pod still reaches the database"
    failure = ClipFailure(code=NOT_ISOLATED, message=message)
    job.result(Result(index=0, epoch=order.epoch, failure=failure))
    view = api.operator.view(uid)
    assert (view.state, view.reason, view.message) == (State.FAILED, NOT_ISOLATED, message)
    assert [clip.reason for clip in view.clips] == [None]
    assert user.account().render_reserved_seconds == 0


@pytest.mark.parametrize(
    ("rest", "state", "reason"),
    [
        ({"onClipError": "Fail"}, State.FAILED, "ClipFailed"),
        ({"minimumClips": 1}, State.FAILED, "TooFewClips"),
        ({"onClipError": "Placeholder", "minimumClips": 1}, State.FAILED, "TooFewClips"),
    ],
)
def test_all_gone_fails_and_frees_the_quota(
    api: Harness, rest: dict[str, object], state: State, reason: str
) -> None:
    """Nothing to play: Failed, with the reason, and nothing stays reserved."""
    owner, user = api.user(render_limit_seconds=100)
    uid, _ = api.register(owner, {"clips": [{"url": url()}], **rest})
    tasks = FailedTasks(stage=Stage.FETCH, generation=1, indexes=[0], message="pod died 3 times")
    plan = api.operator.failed(uid, tasks)
    assert (plan.state, plan.reason) == (state, reason)
    assert "pod died 3 times" in str(plan.message)
    assert user.account().render_reserved_seconds == 0


def test_trim_beyond_the_end_is_skipped(api: Harness, two_seconds: Path) -> None:
    """A clip that turns out shorter than its trim is skipped, with both lengths said."""
    owner, _ = api.user()
    clips = [{"url": url(), "start": "5s"}, {"url": url()}]
    uid, _ = api.register(owner, {"clips": clips})
    job = api.job(uid, Stage.FETCH)
    fetch(job, 0, two_seconds)
    fetch(job, 1, two_seconds)
    view = api.operator.view(uid)
    assert (view.state, view.clips[0].reason) == (State.RENDERING, "TrimOutsideClip")
    assert "start 5s" in str(view.clips[0].message)


def test_edit_supersedes_and_old_keys_die(api: Harness, two_seconds: Path) -> None:
    """A new generation: the old one's jobs are told to leave and its quota is free."""
    owner, user = api.user(render_limit_seconds=100)
    media = library_clip(user, two_seconds)
    uid, _ = api.register(owner, {"clips": [{"url": url()}]})
    job = api.job(uid, Stage.FETCH)
    order = job.order(0, "pod")
    spec = {"clips": [{"mediaId": media.id}]}
    _, plan = api.register(owner, spec, uid=uid, generation=2)
    assert (plan.generation, plan.state) == (2, State.RENDERING)
    assert user.account().render_reserved_seconds == 2
    with pytest.raises(PermanentError) as ended:
        job.order(0, "pod")
    assert ended.value.code == "Ended"
    reply = job.heartbeat(Heartbeat(index=0, epoch=order.epoch, percent=1))
    assert reply.directive == "Stop"
    with pytest.raises(PermanentError) as stale:
        api.register(owner, spec, uid=uid, generation=1)
    assert stale.value.code == "StaleGeneration"
    with pytest.raises(PermanentError) as conflict:
        api.register(owner, {"clips": [{"url": url()}]}, uid=uid, generation=2)
    assert conflict.value.code == "GenerationConflict"
    sql = "SELECT generation, state FROM revisions r JOIN compilations c ON c.id = compilation_id"
    rows = api.rows(
        f"{sql[: sql.index(' r JOIN')]} WHERE compilation_id = :c ORDER BY 1", c=plan.compilation_id
    )
    assert [row["state"] for row in rows] == ["Superseded", "Rendering"]


def test_wrong_length_is_no_success(api: Harness, two_seconds: Path, three_seconds: Path) -> None:
    """A video that does not have the timeline's frames is refused, and nothing is settled."""
    owner, user = api.user()
    media = library_clip(user, two_seconds)
    uid, _ = api.register(owner, {"clips": [{"mediaId": media.id}]})
    with pytest.raises(PermanentError) as wrong:
        assemble(api.job(uid, Stage.ASSEMBLE), three_seconds)
    assert wrong.value.code == "WrongLength"
    assert "90 frames, but the timeline has 60" in wrong.value.detail
    assert user.usage() == []


def test_cancel_deletes_what_no_result_names(api: Harness, two_seconds: Path) -> None:
    """Cancelled during assembly: its stray output goes, the library's clip stays."""
    owner, user = api.user(storage_limit_bytes=10**9)
    media = library_clip(user, two_seconds)
    uid, plan = api.register(owner, {"clips": [{"mediaId": media.id}]})
    used = user.account().storage_used_bytes
    job = api.job(uid, Stage.ASSEMBLE)
    order = job.order(0, "pod")
    job.upload(
        two_seconds,
        announcement(
            two_seconds,
            UploadPurpose.OUTPUT,
            output="main",
            kind=MediaKind.COMPILATION,
            epoch=order.epoch,
        ),
    )
    assert user.account().storage_used_bytes == 2 * used
    view = user.cancel(str(plan.compilation_id))
    assert view.state is State.CANCELLED
    assert user.cancel(view.id).state is State.CANCELLED
    assert user.account().storage_used_bytes == used
    assert [row.id for row in user.library().items] == [media.id]


def manifest(media_id: str, **spec: object) -> Manifest:
    """A manifest of one clip."""
    return Manifest.model_validate(
        {
            "apiVersion": "clipmill.dev/v1alpha1",
            "kind": "Compilation",
            "metadata": {"name": "mine"},
            "spec": {"clips": [{"mediaId": media_id}], "outputs": [SMALL], **spec},
        }
    )


def test_people_submit_list_edit_and_watch(api: Harness, two_seconds: Path) -> None:
    """Idempotent creation, pages by cursor, an edit that is a new generation, events to the end."""
    owner, user = api.user()
    media = library_clip(user, two_seconds)
    made = [user.create(manifest(media.id), f"key-{i}") for i in range(3)]
    assert user.create(manifest(media.id), "key-1").id == made[1].id
    with pytest.raises(PermanentError) as reused:
        user.create(manifest(media.id, title="other"), "key-1")
    assert reused.value.code == "IdempotencyKeyReused"
    page = user.compilations(limit=2)
    rest = user.compilations(cursor=page.next, limit=2)
    assert [row.id for row in page.items + rest.items] == [row.id for row in reversed(made)]
    assert rest.next is None
    spec = manifest(media.id, title="New").spec
    edited = user.edit(made[0].id, spec)
    assert (edited.generation, user.edit(made[0].id, spec).generation) == (2, 2)
    user.cancel(made[0].id)
    assert [view.state for view in user.events(made[0].id)] == [State.CANCELLED]
    assert user.dry_run(manifest(media.id)).outputs[0].frames == 60
    assert owner == made[0].owner


def test_foreign_things_are_not_there(api: Harness, two_seconds: Path) -> None:
    """Another user's compilation, media and segments look as if they did not exist."""
    owner, user = api.user()
    _, other = api.user()
    media = library_clip(user, two_seconds)
    mine = user.create(manifest(media.id))
    for call in (
        lambda: other.compilation(mine.id),
        lambda: other.cancel(mine.id),
        lambda: other.media(media.id),
        lambda: other.delete_media(media.id),
        lambda: other.plan(mine.id),
    ):
        with pytest.raises(PermanentError) as hidden:
            call()
        assert (hidden.value.status, hidden.value.code) == (404, "NotFound")
    with pytest.raises(PermanentError) as unknown:
        other.create(manifest(media.id))
    assert (unknown.value.code, unknown.value.facts["field"]) == (
        "UnknownMedia",
        "spec.clips[0].mediaId",
    )
    with pytest.raises(PermanentError) as claimed:
        other.create(manifest(media.id, owner=owner))
    assert claimed.value.facts["field"] == "spec.owner"


def test_media_of_what_has_ended_may_go(api: Harness, two_seconds: Path) -> None:
    """Not while it is rendered; afterwards its storage is free, and the finished video stays."""
    owner, user = api.user(storage_limit_bytes=10**8)
    media = library_clip(user, two_seconds)
    uid, plan = api.register(owner, {"clips": [{"mediaId": media.id}]})
    with pytest.raises(PermanentError) as used:
        user.delete_media(media.id)
    assert (used.value.code, used.value.facts["compilation"]) == ("InUse", plan.compilation_id)
    assemble(api.job(uid, Stage.ASSEMBLE), two_seconds)
    before = user.account().storage_used_bytes
    user.delete_media(media.id)
    assert user.account().storage_used_bytes == before - media.size_bytes
    compilation_id = str(plan.compilation_id)
    assert user.compilation(compilation_id).clips[0].media_id is None
    reply = user.wire.once("GET", f"/api/compilations/{compilation_id}/outputs/main")
    assert reply.content == two_seconds.read_bytes()
    assert user.plan(compilation_id).state is State.SUCCEEDED


def test_log_lines_reach_the_owner(api: Harness) -> None:
    """What a heartbeat says is kept in order and shown."""
    owner, user = api.user()
    uid, plan = api.register(owner, {"clips": [{"url": url()}]})
    job = api.job(uid, Stage.FETCH)
    epoch = job.order(0, "pod").epoch
    for lines in (["one", "two"], ["three"]):
        job.heartbeat(Heartbeat(index=0, epoch=epoch, percent=10, log=lines))
    assert user.compilation(str(plan.compilation_id)).log == ["one", "two", "three"]


def test_spec_round_trips_through_the_contract() -> None:
    """What is stored of a spec reads back as the same spec."""
    spec = manifest("m-aaaaaaaa", title="T").spec
    stored = spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    assert CompilationSpec.model_validate(stored) == spec
