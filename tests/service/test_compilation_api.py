"""The life of a compilation: registered, fetched, rendered, settled. Assertions read the rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from clipmill.protocol import (
    CANARY_UNRESOLVED,
    NOT_ISOLATED,
    ClipState,
    CompilationState,
    FailedTasks,
    Heartbeat,
    MediaKind,
    Stage,
    TaskFailure,
    TaskResult,
    UploadPurpose,
)
from clipmill_client.errors import PermanentError, RetryableError
from clipmill_client.transfer import sha256_of
from harness import Harness, library_clip
from pods import announcement, assemble, fetch, url


def test_from_registration_to_usage(api: Harness, two_seconds: Path) -> None:
    """Fetch, assemble, succeed: one usage row, a settled reservation. A repeat changes nothing."""
    owner, user = api.user(render_limit_seconds=100)
    uid, plan = api.register(owner, {"clips": [{"url": url()}]})
    assert (plan.state, plan.to_fetch) == (CompilationState.FETCHING, [0])
    assert plan.quota.estimated_seconds == 60
    assert user.account().render_reserved_seconds == 60
    fetch(api.job(uid, Stage.FETCH), 0, two_seconds)
    plan = api.operator.plan(uid)
    assert (plan.state, plan.outputs[0].frames, plan.outputs[0].exact) == (
        CompilationState.RENDERING,
        60,
        True,
    )
    assert user.account().render_reserved_seconds == 2
    job = api.job(uid, Stage.ASSEMBLE)
    result = assemble(job, two_seconds)
    job.result(result)
    view = api.operator.view(uid)
    assert (view.state, view.percent, view.degraded) == (CompilationState.SUCCEEDED, 100, False)
    assert view.outputs[0].sha256 == sha256_of(two_seconds)
    assert view.outputs[0].frames == 60
    account = user.account()
    assert (account.render_used_seconds, account.render_reserved_seconds) == (2, 0)
    sql = "SELECT seconds, generation FROM render_usage WHERE compilation_id = :c"
    assert api.rows(sql, c=view.id) == [{"seconds": 2, "generation": 1}]
    sql = "SELECT state FROM reservations WHERE compilation_id = :c"
    assert api.rows(sql, c=view.id) == [{"state": "settled"}]


def test_operator_lists_active_compilations(api: Harness, two_seconds: Path) -> None:
    """A compilation is listed by its uid until it is terminal."""
    owner, user = api.user()
    media = library_clip(user, two_seconds)
    uid, _ = api.register(owner, {"clips": [{"mediaId": media.id}]})

    def active() -> list[tuple[str, CompilationState]]:
        views = api.operator.active_compilations(2000)  # other tests leave some
        return [(view.uid, view.state) for view in views if view.owner == owner]

    assert active() == [(uid, CompilationState.RENDERING)]
    api.operator.delete(uid)
    assert active() == []


def test_a_url_is_fetched_once(api: Harness, two_seconds: Path) -> None:
    """Twice in one spec and again in another compilation: one task, one media row."""
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


def test_two_jobs_do_not_fetch_a_clip_at_once(api: Harness, two_seconds: Path) -> None:
    """The second job has to retry, and then uses the first one's media."""
    owner, _ = api.user()
    where = url()
    first, _ = api.register(owner, {"clips": [{"url": where}]})
    second, _ = api.register(owner, {"clips": [{"url": where}]})
    one, two = api.job(first, Stage.FETCH), api.job(second, Stage.FETCH)
    one.claim(0, "pod-0")
    with pytest.raises(RetryableError) as wait:
        two.claim(0, "pod-1")
    assert wait.value.code == "FetchInProgress"
    fetch(one, 0, two_seconds)
    assert two.claim(0, "pod-1").fetch is None
    assert api.operator.plan(second).state is CompilationState.RENDERING


def test_a_lease_fences_out_its_earlier_holder(api: Harness, two_seconds: Path) -> None:
    """A second pod has to wait for the lease; after its claim the first pod is refused."""
    owner, _ = api.user()
    uid, _ = api.register(owner, {"clips": [{"url": url()}]})
    job = api.job(uid, Stage.FETCH)
    first = job.claim(0, "pod-a")
    assert job.claim(0, "pod-a").epoch == first.epoch
    with pytest.raises(RetryableError) as held:
        job.claim(0, "pod-b")
    assert held.value.code == "Leased"
    api.clock.advance(61)
    assert job.claim(0, "pod-b").epoch == first.epoch + 1
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


def test_a_failed_fetch_skips_its_clip(api: Harness, two_seconds: Path) -> None:
    """The other clips are rendered, and the view is degraded and has the reason."""
    owner, _ = api.user()
    uid, _ = api.register(owner, {"clips": [{"url": url()}, {"url": url(), "name": "lost"}]})
    job = api.job(uid, Stage.FETCH)
    fetch(job, 0, two_seconds)
    assignment = job.claim(1, "pod-1")
    failure = TaskFailure(code="SourceGone", message="404 of the platform")
    job.result(TaskResult(index=1, epoch=assignment.epoch, failure=failure))
    view = api.operator.view(uid)
    assert (view.state, view.degraded) == (CompilationState.RENDERING, True)
    assert [(c.name, c.reason) for c in view.clips if c.reason] == [("lost", "SourceGone")]
    assert api.operator.plan(uid).outputs[0].frames == 60


@pytest.mark.parametrize("code", [NOT_ISOLATED, CANARY_UNRESOLVED])
@pytest.mark.parametrize("stage", Stage)
def test_a_pod_without_isolation_fails_the_revision(
    api: Harness, two_seconds: Path, stage: Stage, code: str
) -> None:
    """No clip is skipped in any stage, and the reservation is released."""
    owner, user = api.user(render_limit_seconds=100)
    uid, _ = api.register(owner, {"clips": [{"url": url()}]})
    if stage is not Stage.FETCH:
        fetch(api.job(uid, Stage.FETCH), 0, two_seconds)
    job = api.job(uid, stage)
    assignment = job.claim(0, "pod-1")
    message = "this pod still reaches the database"
    failure = TaskFailure(code=code, message=message)
    job.result(TaskResult(index=0, epoch=assignment.epoch, failure=failure))
    view = api.operator.view(uid)
    assert (view.state, view.reason, view.message) == (
        CompilationState.FAILED,
        code,
        message,
    )
    assert [clip.reason for clip in view.clips] == [None]
    assert user.account().render_reserved_seconds == 0


@pytest.mark.parametrize(
    ("rest", "state", "reason"),
    [
        ({"onClipError": "Fail"}, CompilationState.FAILED, "ClipFailed"),
        ({"minimumClips": 1}, CompilationState.FAILED, "TooFewClips"),
        ({"onClipError": "Placeholder", "minimumClips": 1}, CompilationState.FAILED, "TooFewClips"),
    ],
)
def test_too_few_clips_fail_the_revision(
    api: Harness, rest: dict[str, object], state: CompilationState, reason: str
) -> None:
    """The message holds the cause, and the reservation is released."""
    owner, user = api.user(render_limit_seconds=100)
    uid, _ = api.register(owner, {"clips": [{"url": url()}], **rest})
    tasks = FailedTasks(stage=Stage.FETCH, generation=1, indexes=[0], message="pod died 3 times")
    plan = api.operator.report_failed_tasks(uid, tasks)
    assert (plan.state, plan.reason) == (state, reason)
    assert "pod died 3 times" in str(plan.message)
    assert user.account().render_reserved_seconds == 0


def test_a_start_beyond_the_end_skips_the_clip(api: Harness, two_seconds: Path) -> None:
    """The clip turns out shorter than its `start` when it is fetched."""
    owner, _ = api.user()
    clips = [{"url": url(), "start": "5s"}, {"url": url()}]
    uid, _ = api.register(owner, {"clips": clips})
    job = api.job(uid, Stage.FETCH)
    fetch(job, 0, two_seconds)
    fetch(job, 1, two_seconds)
    view = api.operator.view(uid)
    assert (view.state, view.clips[0].reason) == (CompilationState.RENDERING, "TrimOutsideClip")
    assert "5s" in str(view.clips[0].message)


def test_a_new_generation_supersedes_the_old_one(api: Harness, two_seconds: Path) -> None:
    """Jobs of the old generation are stopped, and its reservation is released."""
    owner, user = api.user(render_limit_seconds=100)
    media = library_clip(user, two_seconds)
    uid, _ = api.register(owner, {"clips": [{"url": url()}]})
    job = api.job(uid, Stage.FETCH)
    assignment = job.claim(0, "pod")
    spec = {"clips": [{"mediaId": media.id}]}
    _, plan = api.register(owner, spec, uid=uid, generation=2)
    assert (plan.generation, plan.state) == (2, CompilationState.RENDERING)
    assert user.account().render_reserved_seconds == 2
    with pytest.raises(PermanentError) as ended:
        job.claim(0, "pod")
    assert ended.value.code == "Ended"
    reply = job.heartbeat(Heartbeat(index=0, epoch=assignment.epoch, percent=1))
    assert reply.directive == "Stop"
    with pytest.raises(PermanentError) as stale:
        api.register(owner, spec, uid=uid, generation=1)
    assert stale.value.code == "StaleGeneration"
    with pytest.raises(PermanentError) as conflict:
        api.register(owner, {"clips": [{"url": url()}]}, uid=uid, generation=2)
    assert conflict.value.code == "GenerationConflict"
    sql = "SELECT state FROM revisions WHERE compilation_id = :c ORDER BY generation"
    rows = api.rows(sql, c=plan.compilation_id)
    assert [row["state"] for row in rows] == ["Superseded", "Rendering"]


def test_an_output_of_wrong_length_is_refused(
    api: Harness, two_seconds: Path, three_seconds: Path
) -> None:
    """The video must have the timeline's frames; until then nothing is settled."""
    owner, user = api.user()
    media = library_clip(user, two_seconds)
    uid, _ = api.register(owner, {"clips": [{"mediaId": media.id}]})
    with pytest.raises(PermanentError) as wrong:
        assemble(api.job(uid, Stage.ASSEMBLE), three_seconds)
    assert wrong.value.code == "WrongLength"
    assert (wrong.value.facts["frames"], wrong.value.facts["expectedFrames"]) == (90, 60)
    assert user.usage() == []


def test_cancelling_deletes_unreferenced_outputs(api: Harness, two_seconds: Path) -> None:
    """Cancelled during assembly: the uploaded output is deleted, the library's clip is not."""
    owner, user = api.user(storage_limit_bytes=10**9)
    media = library_clip(user, two_seconds)
    uid, plan = api.register(owner, {"clips": [{"mediaId": media.id}]})
    used = user.account().storage_used_bytes
    job = api.job(uid, Stage.ASSEMBLE)
    assignment = job.claim(0, "pod")
    job.upload(
        two_seconds,
        announcement(
            two_seconds,
            UploadPurpose.OUTPUT,
            output="main",
            kind=MediaKind.COMPILATION,
            epoch=assignment.epoch,
        ),
    )
    assert user.account().storage_used_bytes == 2 * used
    view = user.cancel(str(plan.compilation_id))
    assert view.state is CompilationState.CANCELLED
    assert user.cancel(view.id).state is CompilationState.CANCELLED
    assert user.account().storage_used_bytes == used
    assert [row.id for row in user.library().items] == [media.id]


def test_log_lines_are_shown_to_the_owner(api: Harness) -> None:
    """Lines of several heartbeats keep their order."""
    owner, user = api.user()
    uid, plan = api.register(owner, {"clips": [{"url": url()}]})
    job = api.job(uid, Stage.FETCH)
    epoch = job.claim(0, "pod").epoch
    for lines in (["one", "two"], ["three"]):
        job.heartbeat(Heartbeat(index=0, epoch=epoch, percent=10, log=lines))
    assert user.compilation(str(plan.compilation_id)).log == ["one", "two", "three"]
