"""Submissions of the API become resources: created, edited or deleted by the operator.

A submission stays in the API's outbox until its resource is registered or deleted, so each step
may be interrupted and is repeated.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC
from typing import Any

from clipmill import fault_points
from clipmill.protocol import ShowReference, Submission, SubmissionAction, SubmissionRefusal
from clipmill.protocol.submission_proof import is_proof, submission_proof
from clipmill_client.privileged_calls import OperatorCalls
from clipmill_operator.building.labels import (
    SCHEDULED_AT,
    SHOW,
    SUBMISSION,
    SUBMISSION_PROOF,
    owner_reference,
)
from clipmill_operator.building.resource import API_VERSION, KIND, Object
from clipmill_operator.building.show_resource import SHOW_KIND
from clipmill_operator.errors import OwnerNotAllowed, PermanentKubeError, SubmissionNotPossible
from clipmill_operator.kube_client import COMPILATION, KubeClient
from clipmill_operator.kube_client import SHOW as SHOW_RESOURCE
from clipmill_operator.reconciling.ownership import owner_of, submission_namespace
from clipmill_operator.settings import Settings
from clipmill_operator.watching.namespace_owners import NamespaceOwners
from clipmill_operator.watching.object_cache import ClusterCache
from clipmill_operator.watching.observed import Key, key_of

log = logging.getLogger(__name__)
# Prefix of the uid of a submission that has no resource yet.
PLACEHOLDER_UID_PREFIX = "r-"
MESSAGE_CHARS = 500


class SubmissionSync:
    """Processes the API's outbox of submissions."""

    def __init__(
        self,
        kube: KubeClient,
        api: OperatorCalls,
        cache: ClusterCache,
        namespaces: NamespaceOwners,
        settings: Settings,
        invalidate_registration: Callable[[str], None],
    ) -> None:
        self._kube, self._api, self._cache = kube, api, cache
        self._namespaces, self._settings = namespaces, settings
        self._invalidate_registration = invalidate_registration

    def __call__(self) -> list[Key]:
        """Process all submissions. Return the keys to reconcile. Raises ClientError, KubeError."""
        keys: list[Key] = []
        for submission in self._api.submissions():
            log.info(
                "submission id=%s action=%s name=%s",
                submission.id,
                submission.action,
                submission.name,
            )
            if submission.action is SubmissionAction.DELETE:
                self._delete(submission)
            else:
                keys += self._apply(submission)
        return keys

    def _apply(self, submission: Submission) -> list[Key]:
        try:
            resource = self._put(submission, self._namespace(submission))
        except PermanentKubeError as error:
            self._refuse(submission, "NotApplied", str(error))
        except SubmissionNotPossible as error:
            self._refuse(submission, error.reason, str(error))
        else:
            fault_points.reach("operator.submission.created")
            self._cache.compilations.store(resource)
            self._invalidate_registration(resource["metadata"]["uid"])
            return [key_of(resource)]
        return []

    def _put(self, submission: Submission, namespace: str | None) -> Object:
        """Create the resource or replace its spec. Raises KubeError, SubmissionNotPossible."""
        if namespace is None:
            raise SubmissionNotPossible(
                "NamespaceNotAllowed",
                f"namespace {submission.namespace!r} does not belong to {submission.owner!r}",
            )
        for name in _candidate_names(submission):
            current = self._kube.get(COMPILATION, namespace, name)
            if current is None:
                created = self._kube.create(_resource(submission, namespace, name))
                if created is not None:
                    return created
            elif _belongs_to(current, submission):
                return self._replace(current, submission)
        raise SubmissionNotPossible(
            "NameTaken", f"name {submission.name!r} is in use in {namespace}: choose another one"
        )

    def _replace(self, current: Object, submission: Submission) -> Object:
        spec = _spec(submission)
        if current.get("spec") == spec:
            return current
        return self._kube.replace_spec(current, spec) or current

    def _delete(self, submission: Submission) -> None:
        try:
            namespace = self._namespace(submission)
        except SubmissionNotPossible:
            namespace = None
        for name in _candidate_names(submission) if namespace else ():
            current = self._kube.get(COMPILATION, namespace or "", name)
            if current is not None and _belongs_to(current, submission):
                uid = current["metadata"]["uid"]
                self._kube.delete(COMPILATION, namespace or "", name, uid)
                self._cache.compilations.remove(key_of(current), uid)
        self._api.delete(submission.uid)

    def _namespace(self, submission: Submission) -> str | None:
        """Return the namespace of the resource, or of the one to create."""
        if not submission.uid.startswith(PLACEHOLDER_UID_PREFIX):
            return submission.namespace
        if submission.show and submission.show.uid:
            return self._episode_namespace(submission, submission.show)
        return submission_namespace(
            self._settings,
            requested=submission.namespace,
            owner=submission.owner,
            label=self._label(submission.namespace),
        )

    def _episode_namespace(self, submission: Submission, reference: ShowReference) -> str | None:
        """Return the namespace of the Show, if it belongs to the submission's owner.

        Raises:
            SubmissionNotPossible: The Show does not exist any more.
        """
        show = self._kube.get(SHOW_RESOURCE, submission.namespace, reference.name) or {}
        metadata = show.get("metadata", {})
        if metadata.get("uid") != reference.uid or "deletionTimestamp" in metadata:
            raise SubmissionNotPossible("ShowDeleted", f"Show {reference.name} was deleted")
        with suppress(OwnerNotAllowed):
            owner = owner_of(
                self._settings,
                label=self._label(submission.namespace),
                spec_owner=show.get("spec", {}).get("owner"),
                submission=None,
            )
            return submission.namespace if owner == submission.owner else None
        return None

    def _label(self, namespace: str) -> str | None:
        """Return the owner of a namespace; None too if the operator may not read it."""
        try:
            return self._namespaces.owner(namespace, fresh=True)
        except PermanentKubeError:
            return None

    def _refuse(self, submission: Submission, reason: str, message: str) -> None:
        log.warning("submission refused id=%s reason=%s", submission.id, reason)
        refusal = SubmissionRefusal(reason=reason, message=message[:MESSAGE_CHARS])
        self._api.refuse_submission(submission.id, refusal)


def _candidate_names(submission: Submission) -> Iterator[str]:
    """Yield the requested name, and a unique one in case another resource has it."""
    yield submission.name
    yield f"{submission.name[:56].rstrip('-')}-{submission.id[2:8]}"


def _belongs_to(current: Object, submission: Submission) -> bool:
    """Return whether a resource is the bound one, or was created by an interrupted step."""
    metadata = current["metadata"]
    if metadata["uid"] == submission.uid:
        return True
    proof = (metadata.get("annotations") or {}).get(SUBMISSION_PROOF)
    return is_proof(
        proof,
        submission.nonce,
        submission=submission.id,
        namespace=metadata["namespace"],
        name=metadata["name"],
    )


def _spec(submission: Submission) -> dict[str, Any]:
    spec = submission.spec.model_copy(update={"owner": submission.owner})
    return spec.model_dump(mode="json", by_alias=True, exclude_none=True)


def _resource(submission: Submission, namespace: str, name: str) -> Object:
    proof = submission_proof(
        submission.nonce, submission=submission.id, namespace=namespace, name=name
    )
    annotations = {SUBMISSION: submission.id, SUBMISSION_PROOF: proof}
    metadata: Object = {"name": name, "namespace": namespace, "annotations": annotations}
    if submission.show:
        annotations[SCHEDULED_AT] = submission.show.scheduled_at.astimezone(UTC).isoformat()
        metadata |= _show_metadata(submission.show)
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": metadata,
        "spec": _spec(submission),
    }


def _show_metadata(reference: ShowReference) -> Object:
    """Return the label of an episode, and the reference by which it is deleted with its Show."""
    metadata: Object = {"labels": {SHOW: reference.name}}
    if reference.uid:
        owner = owner_reference(API_VERSION, SHOW_KIND, reference.name, reference.uid)
        metadata["ownerReferences"] = [owner]
    return metadata
