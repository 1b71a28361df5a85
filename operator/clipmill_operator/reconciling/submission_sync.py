"""What the API was asked for becomes resources: made, changed, deleted, until the API has them.

The wish stays in the API's outbox until the resource was registered, or is gone. So each step may
be cut off, and is repeated.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

from clipmill.protocol import Refusal, Submission, Wanted
from clipmill_client.privileged_calls import OperatorCalls
from clipmill_operator.building.builders import SUBMISSION
from clipmill_operator.building.resource import API_VERSION, KIND
from clipmill_operator.kube import COMPILATION, Kube, KubeRefused, Object
from clipmill_operator.reconciling.observed import key_of
from clipmill_operator.reconciling.ownership import place_of
from clipmill_operator.settings import Settings
from clipmill_operator.watching.namespace_owners import Namespaces
from clipmill_operator.watching.object_cache import Cache, Key

log = logging.getLogger(__name__)
STAND_IN = "r-"
"""How the uid of a submission begins that is no resource yet."""
Tell = Callable[[str], None]
"""Told the uid of a resource that is to be registered, though its generation may be the same."""


class _Impossible(Exception):
    """No resource can be made of a submission."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Submissions:
    """Works off the API's outbox, one by one."""

    def __init__(
        self,
        kube: Kube,
        api: OperatorCalls,
        cache: Cache,
        namespaces: Namespaces,
        settings: Settings,
        tell: Tell,
    ) -> None:
        self._kube, self._api, self._cache = kube, api, cache
        self._namespaces, self._settings, self._tell = namespaces, settings, tell

    def __call__(self) -> list[Key]:
        """One round; the resources to be looked at. Raises ClientError, KubeError."""
        applied: list[Key] = []
        for asked in self._api.submissions():
            log.info("submission id=%s wanted=%s name=%s", asked.id, asked.wanted, asked.name)
            if asked.wanted is Wanted.DELETE:
                self._delete(asked)
            else:
                applied += self._apply(asked)
        return applied

    def _apply(self, asked: Submission) -> list[Key]:
        try:
            made = self._made(asked, self._place(asked))
        except KubeRefused as error:
            self._refuse(asked, "NotApplied", str(error))
        except _Impossible as error:
            self._refuse(asked, error.reason, str(error))
        else:
            self._cache.wishes.see(made)
            self._tell(made["metadata"]["uid"])
            return [key_of(made)]
        return []

    def _made(self, asked: Submission, namespace: str | None) -> Object:
        """The resource, with the spec that is asked for. Raises KubeError, _Impossible."""
        if namespace is None:
            told = f"namespace {asked.namespace!r} is not one of {asked.owner!r}"
            raise _Impossible("NamespaceNotAllowed", told)
        for name in _names(asked):
            current = self._kube.get(COMPILATION, namespace, name)
            if current is None:
                return self._kube.apply(_resource(asked, namespace, name), force=False) or {}
            if _is_it(current, asked):
                return self._changed(current, asked)
        told = f"{namespace}/{asked.name} is another compilation's: give it another name"
        raise _Impossible("NameTaken", told)

    def _changed(self, current: Object, asked: Submission) -> Object:
        spec = _spec(asked)
        if current.get("spec") == spec:
            return current
        return self._kube.replace_spec(current, spec) or current

    def _delete(self, asked: Submission) -> None:
        namespace = self._place(asked)
        for name in _names(asked) if namespace else ():
            current = self._kube.get(COMPILATION, namespace or "", name)
            if current is not None and _is_it(current, asked):
                uid = current["metadata"]["uid"]
                self._kube.delete(COMPILATION, namespace or "", name, uid)
                self._cache.wishes.lose(key_of(current), uid)
        self._api.gone(asked.uid)

    def _place(self, asked: Submission) -> str | None:
        """Where it is, or is to be."""
        if not asked.uid.startswith(STAND_IN):
            return asked.namespace
        return place_of(
            self._settings,
            asked=asked.namespace,
            owner=asked.owner,
            label=self._label(asked.namespace),
        )

    def _label(self, namespace: str) -> str | None:
        """The owner of a namespace; one that we may not even look at is not anybody's."""
        try:
            return self._namespaces.owner(namespace)
        except KubeRefused:
            return None

    def _refuse(self, asked: Submission, reason: str, message: str) -> None:
        log.warning("submission refused id=%s reason=%s", asked.id, reason)
        self._api.refused(asked.id, Refusal(reason=reason, message=message[:500]))


def _names(asked: Submission) -> Iterator[str]:
    """Its own name, and one that tells it apart where that is another's."""
    yield asked.name
    yield f"{asked.name[:56].rstrip('-')}-{asked.id[2:8]}"


def _is_it(current: Object, asked: Submission) -> bool:
    metadata = current["metadata"]
    told = (metadata.get("annotations") or {}).get(SUBMISSION)
    return bool(metadata["uid"] == asked.uid or told == asked.id)


def _spec(asked: Submission) -> dict[str, Any]:
    spec = asked.spec.model_copy(update={"owner": asked.owner})
    return spec.model_dump(mode="json", by_alias=True, exclude_none=True)


def _resource(asked: Submission, namespace: str, name: str) -> Object:
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {
            "name": name,
            "namespace": namespace,
            "annotations": {SUBMISSION: asked.id},
        },
        "spec": _spec(asked),
    }
