"""The cluster: server-side apply under one name, and the few other verbs. Objects are dicts.

KubeError
+-- KubeRetry      not reached, too many requests, a conflict, an error of the server: try again
+-- KubeRefused    the API server will not: the object, or our rights, must change
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from kubernetes import client, config
from urllib3.exceptions import HTTPError

MANAGER = "clipmill-operator"
TIMEOUT = (5, 30)
"""Seconds to connect, and to read."""
Object = dict[str, Any]


class KubeError(Exception):
    """A request failed; str() says which and why."""


class KubeRetry(KubeError):
    """Trying again may help."""


class KubeRefused(KubeError):
    """Trying the same again gives the same answer."""


class Kind(NamedTuple):
    """A kind of object and where the API server has it."""

    path: str
    plural: str
    namespaced: bool = True


COMPILATION = Kind("/apis/clipmill.dev/v1alpha1", "compilations")
JOB = Kind("/apis/batch/v1", "jobs")
POD = Kind("/api/v1", "pods")
SECRET = Kind("/api/v1", "secrets")
EVENT = Kind("/api/v1", "events")
NAMESPACE = Kind("/api/v1", "namespaces", namespaced=False)
POLICY = Kind("/apis/networking.k8s.io/v1", "networkpolicies")
KINDS = {
    "Compilation": COMPILATION,
    "Job": JOB,
    "Secret": SECRET,
    "Event": EVENT,
    "NetworkPolicy": POLICY,
}


class Listed(NamedTuple):
    """Objects, and the resource version of which they are all."""

    items: list[Object]
    version: int


class Kube:
    """One cluster, as the operator's service account. Counts its requests."""

    def __init__(self, api: client.ApiClient) -> None:
        self._api = api
        self.requests = 0

    @classmethod
    def connect(cls, connections: int) -> Kube:
        """From the pod's service account, or a kubeconfig."""
        made = client.Configuration()
        try:
            config.load_incluster_config(client_configuration=made)  # type: ignore[no-untyped-call]  # it has none
        except config.ConfigException:
            config.load_kube_config(client_configuration=made)  # type: ignore[no-untyped-call]  # it has none
        made.connection_pool_maxsize = connections
        return cls(client.ApiClient(made))

    def get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """An object, or None."""
        return self._send("GET", _where(kind, namespace, name), absent=(404,))

    def all_of(self, kind: Kind, namespace: str, selector: str = "") -> Listed:
        """All objects of a namespace ("": of all), and of when."""
        query = urlencode({"labelSelector": selector} if selector else {})
        found = self._send("GET", f"{_where(kind, namespace)}?{query}") or {}
        version = int(found["metadata"]["resourceVersion"])
        return Listed(list(found.get("items") or []), version)

    def apply(self, given: Object, *, subresource: str = "", force: bool = True) -> Object | None:
        """Server-side apply; the object as it is now. None: it is gone (of a subresource)."""
        query = urlencode({"fieldManager": MANAGER, "force": str(force).lower()})
        where = _of(given, named=True) + (f"/{subresource}" if subresource else "")
        absent = (404,) if subresource else ()
        return self._send("PATCH", f"{where}?{query}", given, _APPLY, absent=absent)

    def create(self, given: Object) -> Object | None:
        """A new object; None when there is one of its name."""
        query = urlencode({"fieldManager": MANAGER})
        return self._send("POST", f"{_of(given, named=False)}?{query}", given, absent=(409,))

    def replace_spec(self, current: Object, spec: Mapping[str, Any]) -> Object | None:
        """Another spec, whole, if the object is still the same one. None: it is gone."""
        test = {"op": "test", "path": "/metadata/uid", "value": current["metadata"]["uid"]}
        change = {"op": "replace", "path": "/spec", "value": spec}
        return self._send("PATCH", _of(current, named=True), [test, change], _JSON_PATCH, (404,))

    def delete(self, kind: Kind, namespace: str, name: str, uid: str | None = None) -> None:
        """Delete an object and what it owns, without waiting. One that is gone is fine."""
        options: Object = {"propagationPolicy": "Background"}
        if uid:
            options["preconditions"] = {"uid": uid}
        absent = (404, 409) if uid else (404,)
        self._send("DELETE", _where(kind, namespace, name), options, absent=absent)

    def _send(
        self,
        method: str,
        path: str,
        body: Object | list[Object] | None = None,
        content_type: str = "application/json",
        absent: Sequence[int] = (),
    ) -> Object | None:
        """One request; None when the status is one of `absent`. Raises KubeError."""
        self.requests += 1
        settings = self._api.configuration
        key = settings.get_api_key_with_prefix("BearerToken", alias="authorization")
        headers = {"Accept": "application/json", "Content-Type": content_type}
        if key:
            headers["authorization"] = key
        try:
            reply = self._api.call_api(
                method, settings.host + path, headers, body, _request_timeout=TIMEOUT
            )
            status, data = reply.status, bytes(reply.read())  # type: ignore[no-untyped-call]  # none
        except (HTTPError, client.ApiException) as error:
            raise KubeRetry(f"{method} {path}: {error}") from error
        if status in absent:
            return None
        if status >= 400:
            raise _error(method, path, status, data)
        return dict(json.loads(data))


_APPLY = "application/apply-patch+yaml"
_JSON_PATCH = "application/json-patch+json"


def _where(kind: Kind, namespace: str, name: str = "") -> str:
    inside = f"/namespaces/{namespace}" if kind.namespaced and namespace else ""
    return f"{kind.path}{inside}/{kind.plural}" + (f"/{name}" if name else "")


def _of(given: Object, *, named: bool) -> str:
    metadata = given["metadata"]
    name = metadata["name"] if named else ""
    return _where(KINDS[given["kind"]], metadata["namespace"], name)


def _error(method: str, path: str, status: int, data: bytes) -> KubeError:
    try:
        said = json.loads(data).get("message", "")
    except (ValueError, AttributeError):
        said = data[:200].decode(errors="replace")
    retry = status in (401, 409, 429) or status >= 500
    return (KubeRetry if retry else KubeRefused)(f"{method} {path}: {status} {said}")
