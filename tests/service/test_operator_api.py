"""Submissions: the API was asked, the operator makes the resource, and both are one compilation."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest

from clipmill.protocol import FailedTasks, Refusal, Registration, Stage, State, Submission, Wanted
from clipmill.spec import CompilationSpec, Manifest
from clipmill_client.client import Client
from clipmill_client.errors import PermanentError
from harness import SMALL, Harness, library_clip
from pods import url


def submit(user: Client, media: str, name: str = "friday") -> str:
    """A compilation asked of the API: its id."""
    spec = {"clips": [{"mediaId": media}], "outputs": [SMALL]}
    manifest = {"apiVersion": "clipmill.dev/v1alpha1", "kind": "Compilation", "spec": spec}
    return user.create(Manifest.model_validate(manifest | {"metadata": {"name": name}})).id


def outbox(api: Harness, compilation_id: str) -> Submission | None:
    """What is still to be done with its resource."""
    mine = [one for one in api.operator.submissions() if one.id == compilation_id]
    return mine[0] if mine else None


def wish(asked: Submission, generation: int = 1, **more: Any) -> Registration:
    """The resource that the operator made of it, as it is registered."""
    spec = asked.spec.model_copy(update={"owner": asked.owner} | more)
    return Registration(
        namespace="clips",
        name=asked.name,
        generation=generation,
        owner=asked.owner,
        spec=spec,
        submission=asked.id,
    )


@pytest.fixture
def asked(api: Harness, two_seconds: Path) -> tuple[Client, Submission]:
    """A user with 10 s of render time a month, and a submission that takes 2 s."""
    _, user = api.user(render_limit_seconds=10)
    found = outbox(api, submit(user, library_clip(user, two_seconds).id))
    assert found is not None
    return user, found


def test_the_first_key_comes_with_a_new_generation(api: Harness) -> None:
    """It is the stage's only live one. A repeat gets none: pods may hold the first by then."""
    owner, _ = api.user()
    uid = uuid.uuid4().hex
    told = Registration.model_validate(
        {
            "namespace": "clips",
            "name": "keyed",
            "generation": 1,
            "owner": owner,
            "spec": {"clips": [{"url": url()}], "outputs": [SMALL]},
        }
    )
    first = api.operator.register(uid, told, with_key=True).key
    assert first is not None
    assert (first.generation, first.stage) == (1, Stage.FETCH)
    assert api.client(first.key).order(0, "pod").stage is Stage.FETCH
    assert api.operator.register(uid, told, with_key=True).key is None
    assert api.client(first.key).order(0, "pod").stage is Stage.FETCH
    api.operator.mint(uid, Stage.FETCH, 1)
    with pytest.raises(PermanentError, match="no longer valid"):
        api.client(first.key).order(0, "pod")


def test_nobody_asks_for_a_key_by_chance(api: Harness) -> None:
    """Without the wish there is none, in the answer or in the database."""
    owner, _ = api.user()
    uid, _ = api.register(owner, {"clips": [{"url": url()}]})
    sql = (
        "SELECT count(*) AS n FROM keys JOIN compilations c ON c.id = compilation_id WHERE uid = :u"
    )
    assert api.rows(sql, u=uid) == [{"n": 0}]


def test_a_submission_becomes_one_resource(api: Harness, asked: tuple[Client, Submission]) -> None:
    """Registering its resource changes nothing but the uid: one row, one reservation."""
    user, submission = asked
    assert (submission.wanted, submission.name) == (Wanted.APPLY, "friday")
    uid = uuid.uuid4().hex
    plan = api.operator.register(uid, wish(submission))
    assert plan == api.operator.register(uid, wish(submission))
    assert (plan.compilation_id, plan.generation) == (submission.id, 1)
    assert outbox(api, submission.id) is None
    sql = "SELECT uid, namespace, resource_generation FROM compilations WHERE owner = :o"
    row = {"uid": uid, "namespace": "clips", "resource_generation": 1}
    assert api.rows(sql, o=submission.owner) == [row]
    assert user.account().render_reserved_seconds == 2


def test_a_submission_is_bound_once_and_by_its_owner(
    api: Harness, asked: tuple[Client, Submission]
) -> None:
    """Another owner's resource cannot claim it, nor can a second one of the same owner."""
    _, submission = asked
    other, _ = api.user()
    foreign = wish(submission).model_copy(update={"owner": other})
    with pytest.raises(PermanentError) as unknown:
        api.operator.register(uuid.uuid4().hex, foreign)
    assert unknown.value.code == "UnknownSubmission"
    api.operator.register(uuid.uuid4().hex, wish(submission))
    with pytest.raises(PermanentError) as taken:
        api.operator.register(uuid.uuid4().hex, wish(submission))
    assert taken.value.code == "SubmissionTaken"


def test_edits_by_the_api_reach_the_resource(
    api: Harness, asked: tuple[Client, Submission]
) -> None:
    """Two edits before the operator looks: its next generation is the newest of ours."""
    user, submission = asked
    uid = uuid.uuid4().hex
    api.operator.register(uid, wish(submission))
    for title in ("one", "two"):
        user.edit(submission.id, submission.spec.model_copy(update={"title": title}))
    edited = outbox(api, submission.id)
    assert edited is not None
    assert (edited.wanted, edited.spec.title) == (Wanted.APPLY, "two")
    waiting = api.operator.register(uid, wish(submission))
    assert waiting.generation == 3
    assert outbox(api, submission.id) == edited
    assert api.operator.register(uid, wish(edited, generation=2)).generation == 3
    assert outbox(api, submission.id) is None
    assert user.account().render_reserved_seconds == 2


def test_an_edit_of_the_resource_is_a_new_generation(
    api: Harness, asked: tuple[Client, Submission]
) -> None:
    """Also after edits by the API: `kubectl edit` is never mistaken for something old."""
    user, submission = asked
    uid = uuid.uuid4().hex
    api.operator.register(uid, wish(submission))
    user.edit(submission.id, submission.spec.model_copy(update={"title": "by the API"}))
    plan = api.operator.register(uid, wish(submission, generation=2, title="by kubectl"))
    assert (plan.generation, plan.state) == (3, State.RENDERING)
    assert outbox(api, submission.id) is None


def test_an_edit_after_the_resource_has_gone_makes_another(
    api: Harness, asked: tuple[Client, Submission]
) -> None:
    """The compilation goes on under the new resource's uid; what it was before is history."""
    user, submission = asked
    first = uuid.uuid4().hex
    api.operator.register(first, wish(submission))
    api.operator.gone(first)
    assert user.compilation(submission.id).state is State.CANCELLED
    user.edit(submission.id, submission.spec.model_copy(update={"title": "again"}))
    edited = outbox(api, submission.id)
    assert edited is not None
    uid = uuid.uuid4().hex
    plan = api.operator.register(uid, wish(edited))
    assert (plan.compilation_id, plan.generation) == (submission.id, 2)
    assert outbox(api, submission.id) is None
    assert user.account().render_reserved_seconds == 2


def test_cancelling_deletes_the_resource(api: Harness, asked: tuple[Client, Submission]) -> None:
    """Until the operator tells that it is gone; a cancelled one is not deleted twice."""
    user, submission = asked
    uid = uuid.uuid4().hex
    api.operator.register(uid, wish(submission))
    user.cancel(submission.id)
    found = outbox(api, submission.id)
    assert found is not None
    assert (found.wanted, found.uid) == (Wanted.DELETE, uid)
    api.operator.gone(uid)
    user.cancel(submission.id)
    assert outbox(api, submission.id) is None
    assert user.account().render_reserved_seconds == 0


def test_a_submission_that_cannot_be_made_fails(
    api: Harness, asked: tuple[Client, Submission]
) -> None:
    """With the operator's reason; its reservation is free."""
    user, submission = asked
    why = Refusal(reason="NamespaceNotAllowed", message="namespace 'x' is not yours")
    api.operator.refused(submission.id, why)
    view = user.compilation(submission.id)
    assert (view.state, view.reason, view.message) == (State.FAILED, why.reason, why.message)
    assert outbox(api, submission.id) is None
    assert user.account().render_reserved_seconds == 0


def test_a_refused_edit_ends_what_ran(api: Harness, asked: tuple[Client, Submission]) -> None:
    """The spec before is wished no more: its quota is free, and a good edit goes on."""
    user, submission = asked
    uid = uuid.uuid4().hex
    api.operator.register(uid, wish(submission))
    clips = list(submission.spec.clips) * 6
    with pytest.raises(PermanentError) as refused:
        api.operator.register(uid, wish(submission, generation=2, clips=clips))
    assert refused.value.code == "QuotaExceeded"
    assert "rendering takes 12s, but only 10s of the 10s" in refused.value.detail
    assert api.operator.plan(uid).state is State.SUPERSEDED
    assert user.account().render_reserved_seconds == 0
    plan = api.operator.register(uid, wish(submission, generation=3))
    assert (plan.generation, plan.state) == (3, State.RENDERING)


def test_pods_that_are_not_isolated_end_it_in_any_stage(api: Harness) -> None:
    """No clip is blamed for it: the compilation fails and says so."""
    owner, _ = api.user()
    uid, plan = api.register(owner, {"clips": [{"url": f"https://clips.example/{uuid.uuid4()}"}]})
    news = FailedTasks(
        stage=Stage.FETCH, generation=1, indexes=[0], message="canary", reason="NotIsolated"
    )
    assert plan.state is State.FETCHING
    ended = api.operator.failed(uid, news)
    assert (ended.state, ended.reason) == (State.FAILED, "NotIsolated")


def test_the_owner_of_a_spec_is_no_change() -> None:
    """The operator writes the owner into the resource's spec: it is the same spec still."""
    from clipmill_api.compilations.lifecycle import stored  # noqa: PLC0415

    spec = CompilationSpec.model_validate({"clips": [{"mediaId": "m-abcd"}]})
    assert stored(spec) == stored(spec.model_copy(update={"owner": "ada"}))
