"""Registrations by the operator: submissions, keys, edits, cancellations, failed tasks."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest

from clipmill.protocol import (
    CompilationState,
    FailedTasks,
    Registration,
    Stage,
    Submission,
    SubmissionAction,
    SubmissionRefusal,
)
from clipmill.protocol.submission_proof import submission_proof
from clipmill.spec import CompilationSpec
from clipmill_api.compilations.resolution import dump_spec
from clipmill_client.client import Client
from clipmill_client.errors import PermanentError
from harness import SMALL, Harness, library_clip, new_manifest
from pods import url


def outbox(api: Harness, compilation_id: str) -> Submission | None:
    """Return what the operator must do with the resource of a compilation."""
    return next((s for s in api.operator.submissions() if s.id == compilation_id), None)


def registration(submission: Submission, generation: int = 1, **more: Any) -> Registration:
    """Return the registration of the resource that the operator applied for a submission."""
    proof = submission_proof(
        submission.nonce, submission=submission.id, namespace="clips", name=submission.name
    )
    spec = submission.spec.model_copy(update={"owner": submission.owner} | more)
    return Registration(
        namespace="clips",
        name=submission.name,
        generation=generation,
        owner=submission.owner,
        spec=spec,
        submission=submission.id,
        submission_proof=proof,
    )


@pytest.fixture
def submitted(api: Harness, two_seconds: Path) -> tuple[Client, Submission]:
    """A user with 10 s of render time a month, and a submission that takes 2 s."""
    _, user = api.user(render_limit_seconds=10)
    manifest = new_manifest(library_clip(user, two_seconds).id, "friday")
    submission = outbox(api, user.create(manifest).id)
    assert submission is not None
    return user, submission


def test_a_new_generation_comes_with_a_key(api: Harness) -> None:
    """A repeated registration returns none, because pods may use the first by then."""
    owner, _ = api.user()
    uid = uuid.uuid4().hex
    request = Registration.model_validate(
        {
            "namespace": "clips",
            "name": "keyed",
            "generation": 1,
            "owner": owner,
            "spec": {"clips": [{"url": url()}], "outputs": [SMALL]},
        }
    )
    first = api.operator.register(uid, request, with_key=True).key
    assert first is not None
    assert (first.generation, first.stage) == (1, Stage.FETCH)
    assert api.client(first.key).claim(0, "pod").stage is Stage.FETCH
    assert api.operator.register(uid, request, with_key=True).key is None
    assert api.client(first.key).claim(0, "pod").stage is Stage.FETCH
    api.operator.create_key(uid, Stage.FETCH, 1)
    with pytest.raises(PermanentError) as revoked:
        api.client(first.key).claim(0, "pod")
    assert revoked.value.status == 401


def test_a_key_is_created_only_on_request(api: Harness) -> None:
    """A registration without `with_key` stores no key."""
    owner, _ = api.user()
    uid, _ = api.register(owner, {"clips": [{"url": url()}]})
    sql = (
        "SELECT count(*) AS n FROM keys JOIN compilations c ON c.id = compilation_id WHERE uid = :u"
    )
    assert api.rows(sql, u=uid) == [{"n": 0}]


def test_a_submission_becomes_one_resource(
    api: Harness, submitted: tuple[Client, Submission]
) -> None:
    """Registering the resource changes the uid only: one row, one reservation."""
    user, submission = submitted
    assert (submission.action, submission.name) == (SubmissionAction.APPLY, "friday")
    uid = uuid.uuid4().hex
    plan = api.operator.register(uid, registration(submission))
    assert plan == api.operator.register(uid, registration(submission))
    assert (plan.compilation_id, plan.generation) == (submission.id, 1)
    assert outbox(api, submission.id) is None
    sql = "SELECT uid, namespace, resource_generation FROM compilations WHERE owner = :o"
    row = {"uid": uid, "namespace": "clips", "resource_generation": 1}
    assert api.rows(sql, o=submission.owner) == [row]
    assert user.account().render_reserved_seconds == 2


def test_a_submission_is_bound_once_and_by_its_owner(
    api: Harness, submitted: tuple[Client, Submission]
) -> None:
    """A resource of another owner is refused, and a second resource of the same owner too."""
    _, submission = submitted
    other, _ = api.user()
    foreign = registration(submission).model_copy(update={"owner": other})
    with pytest.raises(PermanentError) as unknown:
        api.operator.register(uuid.uuid4().hex, foreign)
    assert unknown.value.code == "UnknownSubmission"
    api.operator.register(uuid.uuid4().hex, registration(submission))
    with pytest.raises(PermanentError) as taken:
        api.operator.register(uuid.uuid4().hex, registration(submission))
    assert taken.value.code == "SubmissionTaken"


CHANGES: list[dict[str, Any]] = [
    {"namespace": "attacker"},
    {"name": "other"},
    {"submission_proof": None},
    {"submission_proof": "0" * 64},
]


@pytest.mark.parametrize(
    ("when", "copied"),
    [(when, change) for when in ("before", "after the deletion") for change in CHANGES]
    + [("after the deletion", {})],
    ids=str,
)
def test_a_copied_resource_is_no_resource_of_the_submission(
    api: Harness, submitted: tuple[Client, Submission], copied: dict[str, Any], when: str
) -> None:
    """Whoever copies id, proof and spec of a resource gets neither quota nor media."""
    user, submission = submitted
    original = registration(submission)
    first = uuid.uuid4().hex
    if when == "after the deletion":
        api.operator.register(first, original)
        api.operator.delete(first)
    before = user.account()
    attacker = uuid.uuid4().hex
    with pytest.raises(PermanentError) as refused:
        api.operator.register(attacker, original.model_copy(update=copied), with_key=True)
    assert (refused.value.status, refused.value.code) == (422, "UnknownSubmission")
    assert user.account() == before
    assert api.rows("SELECT id FROM compilations WHERE uid = :u", u=attacker) == []
    sql = "SELECT count(*) AS n FROM keys WHERE compilation_id = :c"
    assert api.rows(sql, c=submission.id) == [{"n": 0}]


def test_an_edit_after_the_deletion_has_another_nonce(
    api: Harness, submitted: tuple[Client, Submission]
) -> None:
    """The proof of the first resource does not bind the second one."""
    user, submission = submitted
    first = uuid.uuid4().hex
    api.operator.register(first, registration(submission))
    assert outbox(api, submission.id) is None
    api.operator.delete(first)
    user.edit(submission.id, submission.spec.model_copy(update={"title": "again"}))
    edited = outbox(api, submission.id)
    assert edited is not None
    assert edited.nonce not in ("", submission.nonce)
    stale = registration(edited).model_copy(
        update={"submission_proof": registration(submission).submission_proof}
    )
    with pytest.raises(PermanentError) as refused:
        api.operator.register(uuid.uuid4().hex, stale)
    assert refused.value.code == "UnknownSubmission"
    assert api.operator.register(uuid.uuid4().hex, registration(edited)).generation == 2


def test_edits_by_the_api_reach_the_resource(
    api: Harness, submitted: tuple[Client, Submission]
) -> None:
    """Two edits before the resource is applied become one generation of the resource."""
    user, submission = submitted
    uid = uuid.uuid4().hex
    api.operator.register(uid, registration(submission))
    for title in ("one", "two"):
        user.edit(submission.id, submission.spec.model_copy(update={"title": title}))
    edited = outbox(api, submission.id)
    assert edited is not None
    assert (edited.action, edited.spec.title) == (SubmissionAction.APPLY, "two")
    waiting = api.operator.register(uid, registration(submission))
    assert waiting.generation == 3
    assert outbox(api, submission.id) == edited
    assert api.operator.register(uid, registration(edited, generation=2)).generation == 3
    assert outbox(api, submission.id) is None
    assert user.account().render_reserved_seconds == 2


def test_an_edit_of_the_resource_is_a_new_generation(
    api: Harness, submitted: tuple[Client, Submission]
) -> None:
    """Also after an edit through the API that the resource did not get."""
    user, submission = submitted
    uid = uuid.uuid4().hex
    api.operator.register(uid, registration(submission))
    user.edit(submission.id, submission.spec.model_copy(update={"title": "by the API"}))
    plan = api.operator.register(uid, registration(submission, generation=2, title="by kubectl"))
    assert (plan.generation, plan.state) == (3, CompilationState.RENDERING)
    assert outbox(api, submission.id) is None


def test_an_edit_after_the_deletion_creates_another_resource(
    api: Harness, submitted: tuple[Client, Submission]
) -> None:
    """The compilation continues with the uid of the new resource."""
    user, submission = submitted
    first = uuid.uuid4().hex
    api.operator.register(first, registration(submission))
    api.operator.delete(first)
    assert user.compilation(submission.id).state is CompilationState.CANCELLED
    user.edit(submission.id, submission.spec.model_copy(update={"title": "again"}))
    edited = outbox(api, submission.id)
    assert edited is not None
    uid = uuid.uuid4().hex
    plan = api.operator.register(uid, registration(edited))
    assert (plan.compilation_id, plan.generation) == (submission.id, 2)
    assert outbox(api, submission.id) is None
    assert user.account().render_reserved_seconds == 2


def test_cancelling_deletes_the_resource(
    api: Harness, submitted: tuple[Client, Submission]
) -> None:
    """The outbox asks for it until the operator reports the deletion."""
    user, submission = submitted
    uid = uuid.uuid4().hex
    api.operator.register(uid, registration(submission))
    user.cancel(submission.id)
    deletion = outbox(api, submission.id)
    assert deletion is not None
    assert (deletion.action, deletion.uid) == (SubmissionAction.DELETE, uid)
    api.operator.delete(uid)
    user.cancel(submission.id)
    assert outbox(api, submission.id) is None
    assert user.account().render_reserved_seconds == 0


def test_a_refused_submission_fails(api: Harness, submitted: tuple[Client, Submission]) -> None:
    """It has the operator's reason, and its reservation is released."""
    user, submission = submitted
    refusal = SubmissionRefusal(reason="NamespaceNotAllowed", message="namespace 'x' is not yours")
    api.operator.refuse_submission(submission.id, refusal)
    view = user.compilation(submission.id)
    assert (view.state, view.reason, view.message) == (
        CompilationState.FAILED,
        refusal.reason,
        refusal.message,
    )
    assert outbox(api, submission.id) is None
    assert user.account().render_reserved_seconds == 0


def test_a_refused_edit_ends_the_active_revision(
    api: Harness, submitted: tuple[Client, Submission]
) -> None:
    """Its reservation is released, and the next accepted edit starts a revision."""
    user, submission = submitted
    uid = uuid.uuid4().hex
    api.operator.register(uid, registration(submission))
    clips = list(submission.spec.clips) * 6
    with pytest.raises(PermanentError) as refused:
        api.operator.register(uid, registration(submission, generation=2, clips=clips))
    assert refused.value.code == "QuotaExceeded"
    facts = refused.value.facts
    assert (facts["estimatedSeconds"], facts["remainingSeconds"]) == (12, 10)
    assert api.operator.plan(uid).state is CompilationState.SUPERSEDED
    assert user.account().render_reserved_seconds == 0
    plan = api.operator.register(uid, registration(submission, generation=3))
    assert (plan.generation, plan.state) == (3, CompilationState.RENDERING)


def test_pods_without_isolation_fail_the_revision(api: Harness) -> None:
    """The clip of the failed fetch task is not skipped."""
    owner, _ = api.user()
    uid, plan = api.register(owner, {"clips": [{"url": f"https://clips.example/{uuid.uuid4()}"}]})
    tasks = FailedTasks(
        stage=Stage.FETCH, generation=1, indexes=[0], message="canary", reason="NotIsolated"
    )
    assert plan.state is CompilationState.FETCHING
    ended = api.operator.report_failed_tasks(uid, tasks)
    assert (ended.state, ended.reason) == (CompilationState.FAILED, "NotIsolated")


def test_the_owner_is_no_part_of_a_stored_spec() -> None:
    """The operator writes the owner into the resource's spec, which must not look like an edit."""
    spec = CompilationSpec.model_validate({"clips": [{"mediaId": "m-abcd"}]})
    assert dump_spec(spec) == dump_spec(spec.model_copy(update={"owner": "ada"}))
