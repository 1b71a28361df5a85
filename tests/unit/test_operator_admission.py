"""Owners, and the reconcile state."""

from __future__ import annotations

import pytest

from clipmill.protocol import (
    ActiveCompilation,
    ClipState,
    ClipStatus,
    CompilationState,
    Stage,
    StageKey,
)
from clipmill_operator.errors import OwnerNotAllowed
from clipmill_operator.reconciling.actions import PlanResponse
from clipmill_operator.reconciling.ownership import owner_of, submission_namespace
from clipmill_operator.reconciling.reconcile_cache import (
    DeferredStatus,
    ReconcileCache,
    progress_of,
)
from clipmill_operator.watching.observed import ObservedCompilation
from operator_objects import COMPILATION, FETCHING, SETTINGS

UID = COMPILATION.uid
ACCEPTED = PlanResponse(owner="ada", plan=FETCHING)


# --- owners -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "spec_owner", "submission", "owner"),
    [
        (None, None, None, "default"),
        (None, "default", None, "default"),
        ("ada", None, None, "ada"),
        ("ada", "ada", None, "ada"),
        (None, "eve", "c-abcd", "eve"),
    ],
)
def test_the_owner_of_a_resource(
    label: str | None, spec_owner: str | None, submission: str | None, owner: str
) -> None:
    """By the namespace, else by the submission (the API checks it), else by the setting."""
    assert owner_of(SETTINGS, label=label, spec_owner=spec_owner, submission=submission) == owner


@pytest.mark.parametrize(
    ("default_owner", "label", "spec_owner", "submission"),
    [
        ("default", "ada", "eve", None),
        ("default", "ada", "eve", "c-abcd"),
        ("default", None, "eve", None),
        ("", None, None, None),
        ("", None, "eve", None),
    ],
)
def test_an_owner_that_is_not_allowed(
    default_owner: str, label: str | None, spec_owner: str | None, submission: str | None
) -> None:
    """Neither in another owner's namespace nor in one without a label."""
    settings = SETTINGS.model_copy(update={"default_owner": default_owner})
    with pytest.raises(OwnerNotAllowed):
        owner_of(settings, label=label, spec_owner=spec_owner, submission=submission)


@pytest.mark.parametrize(
    ("requested", "label", "namespace"),
    [
        ("default", None, "clipmill"),
        ("clipmill", None, "clipmill"),
        ("team-a", "ada", "team-a"),
        ("default", "ada", "default"),
        ("team-b", "eve", None),
        ("kube-system", None, None),
    ],
)
def test_the_namespace_of_a_submission(
    requested: str, label: str | None, namespace: str | None
) -> None:
    """Its owner's namespace or the one for submissions, and no other."""
    found = submission_namespace(SETTINGS, requested=requested, owner="ada", label=label)
    assert found == namespace


# --- reconcile state --------------------------------------------------------------------------


def active(uid: str, percent: int, *clips: str) -> ActiveCompilation:
    """Return a compilation in progress."""
    return ActiveCompilation(
        uid=uid,
        id="c-abcd",
        name="n",
        namespace="ns",
        owner="ada",
        generation=1,
        state=CompilationState.FETCHING,
        percent=percent,
        clips=[ClipStatus(id="k-abcd", name="c", state=ClipState(state)) for state in clips],
        created_at="",
    )


def test_changed_progress_is_found() -> None:
    """By steps of 5 percent, states of clips, and ends; not by one percent more."""
    reconciled = [active("a", 10, "Waiting"), active("b", 10)]
    states = ReconcileCache()
    for compilation in reconciled:
        states.update(compilation.uid, progress=progress_of(compilation))
    states.update("ended", progress="")
    assert states.take_changed(reconciled, at=0) == set()
    percent = [active("a", 14, "Waiting"), active("b", 14), active("unknown", 1)]
    assert states.take_changed(percent, at=0) == set()
    assert states.take_changed([active("a", 14, "Ready")], at=0) == {"a", "b"}
    states.forget("a")
    assert states.take_changed([], at=0) == {"b"}


def test_those_beyond_the_limit_of_a_list_are_not_changed() -> None:
    """With more active Compilations than a request returns, the others have not ended."""
    states = ReconcileCache()
    for uid in ("a", "b"):
        states.update(uid, progress=progress_of(active(uid, 10)))
    assert states.take_changed([active("a", 10)], at=0, is_complete=False) == set()
    assert states.take_changed([active("a", 50)], at=0, is_complete=False) == {"a"}


def test_the_key_of_a_registration_is_used_once() -> None:
    """For its stage and generation only: the API refuses it to pods of others."""
    states = ReconcileCache()
    key = StageKey(generation=2, stage=Stage.ASSEMBLE, key="cm_j_secret")
    states.update_api(UID, stage_key=key)
    assert "cm_j_secret" not in repr(states.get(UID))
    assert states.take_stage_key(UID, 2, Stage.RENDER) is None
    assert states.take_stage_key(UID, 3, Stage.ASSEMBLE) is None
    assert states.take_stage_key(UID, 2, Stage.ASSEMBLE) == "cm_j_secret"
    assert states.take_stage_key(UID, 2, Stage.ASSEMBLE) is None


def test_a_deferred_response_is_used_once_and_for_its_spec() -> None:
    """An edit, or a submission that invalidates the registration, requests a new plan."""

    def deferred(compilation: ObservedCompilation) -> ReconcileCache:
        states = ReconcileCache()
        states.update_api(UID, registered=compilation.generation)
        states.update(UID, deferred=DeferredStatus(ACCEPTED, ()))
        return states

    states = deferred(COMPILATION)
    assert states.take_deferred_response(UID, 1) == ACCEPTED
    assert states.take_deferred_response(UID, 1) is None
    assert deferred(COMPILATION).take_deferred_response(UID, 2) is None
    states = deferred(COMPILATION)
    states.invalidate_registration(UID)
    assert states.take_deferred_response(UID, 1) is None
