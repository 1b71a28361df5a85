"""Client of the Kubernetes API server: server-side apply and the few other verbs, on plain dicts.

The official client provides configuration, authentication, TLS and the connection pool.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from kubernetes import client, config
from pydantic_core import from_json
from urllib3.exceptions import HTTPError

from clipmill_operator import metrics
from clipmill_operator.building.resource import Object
from clipmill_operator.errors import KubeError, PermanentKubeError, RetryableKubeError

FIELD_MANAGER = "clipmill-operator"
# Seconds to connect and to read.
TIMEOUTS_S = (5, 30)
APPLY_TYPE = "application/apply-patch+yaml"
JSON_PATCH_TYPE = "application/json-patch+json"


class Kind(NamedTuple):
    """A kind of object: the path of its API group and its plural."""

    path: str
    plural: str
    namespaced: bool = True


COMPILATION = Kind("/apis/clipmill.dev/v1alpha1", "compilations")
SHOW = Kind("/apis/clipmill.dev/v1alpha1", "shows")
JOB = Kind("/apis/batch/v1", "jobs")
POD = Kind("/api/v1", "pods")
SECRET = Kind("/api/v1", "secrets")
EVENT = Kind("/api/v1", "events")
NAMESPACE = Kind("/api/v1", "namespaces", namespaced=False)
NETWORK_POLICY = Kind("/apis/networking.k8s.io/v1", "networkpolicies")
# A resource of Kueue: it is requested only if the settings say that Kueue is there.
WORKLOAD = Kind("/apis/kueue.x-k8s.io/v1beta2", "workloads")
KINDS = {
    "Compilation": COMPILATION,
    "Show": SHOW,
    "Job": JOB,
    "Secret": SECRET,
    "Event": EVENT,
    "NetworkPolicy": NETWORK_POLICY,
}


class ObjectList(NamedTuple):
    """Objects of one kind, and the resource version at which they were listed."""

    items: list[Object]
    resource_version: int


class KubeClient:
    """Requests to one API server as the operator's service account.

    Every method raises RetryableKubeError or PermanentKubeError.
    """

    def __init__(self, api: client.ApiClient) -> None:
        self._api = api

    @classmethod
    def connect(cls, connections: int) -> KubeClient:
        """Configure a client by the pod's service account, or else by a kubeconfig."""
        configuration = client.Configuration()
        try:
            config.load_incluster_config(  # type: ignore[no-untyped-call]  # it has no types
                client_configuration=configuration
            )
        except config.ConfigException:
            config.load_kube_config(  # type: ignore[no-untyped-call]  # it has no types
                client_configuration=configuration
            )
        configuration.connection_pool_maxsize = connections
        return cls(client.ApiClient(configuration))

    def get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """Return an object, or None if it does not exist."""
        return self._request("GET", _path(kind, namespace, name), none_on=(404,))

    def list_objects(self, kind: Kind, namespace: str, selector: str = "") -> ObjectList:
        """Return the objects of a namespace; an empty namespace stands for all of them.

        There are none of a kind that the cluster does not have, as before its CRD is installed.
        """
        query = urlencode({"labelSelector": selector} if selector else {})
        body = self._request("GET", f"{_path(kind, namespace)}?{query}", none_on=(404,))
        if body is None:
            return ObjectList([], 0)
        version = int(body["metadata"]["resourceVersion"])
        return ObjectList(list(body.get("items") or []), version)

    def apply(
        self, manifest: Object, *, subresource: str = "", force: bool = True
    ) -> Object | None:
        """Apply an object on the server side and return it.

        Return None if a subresource is applied to an object that does not exist.
        """
        query = urlencode({"fieldManager": FIELD_MANAGER, "force": str(force).lower()})
        path = _object_path(manifest) + (f"/{subresource}" if subresource else "")
        none_on = (404,) if subresource else ()
        return self._request("PATCH", f"{path}?{query}", manifest, APPLY_TYPE, none_on)

    def create(self, manifest: Object) -> Object | None:
        """Create an object and return it, or None if its name is taken."""
        path = _path(KINDS[manifest["kind"]], manifest["metadata"]["namespace"])
        query = urlencode({"fieldManager": FIELD_MANAGER})
        return self._request("POST", f"{path}?{query}", manifest, none_on=(409,))

    def replace_spec(self, current: Object, spec: Mapping[str, Any]) -> Object | None:
        """Replace the whole spec of an object, unless another object has its name by now.

        Return None if the object does not exist.
        """
        test = {"op": "test", "path": "/metadata/uid", "value": current["metadata"]["uid"]}
        change = {"op": "replace", "path": "/spec", "value": spec}
        path = _object_path(current)
        return self._request("PATCH", path, [test, change], JSON_PATCH_TYPE, (404,))

    def delete(self, kind: Kind, namespace: str, name: str, uid: str | None = None) -> None:
        """Delete an object and its dependents in the background, if it exists.

        Args:
            kind: Its kind.
            namespace: Its namespace.
            name: Its name.
            uid: Its uid, so that a successor of the same name is not deleted.
        """
        options: Object = {"propagationPolicy": "Background"}
        if uid:
            options["preconditions"] = {"uid": uid}
        none_on = (404, 409) if uid else (404,)
        self._request("DELETE", _path(kind, namespace, name), options, none_on=none_on)

    def _request(
        self,
        method: str,
        path: str,
        body: Object | list[Object] | None = None,
        content_type: str = "application/json",
        none_on: Sequence[int] = (),
    ) -> Object | None:
        """Send one request; return None for a status in `none_on`. Raises KubeError."""
        metrics.KUBERNETES_REQUESTS.inc()
        configuration = self._api.configuration
        token = configuration.get_api_key_with_prefix("BearerToken", alias="authorization")
        headers = {"Accept": "application/json", "Content-Type": content_type}
        if token:
            headers["authorization"] = token
        try:
            response = self._api.call_api(
                method, configuration.host + path, headers, body, _request_timeout=TIMEOUTS_S
            )
            status = response.status
            data = bytes(response.read())  # type: ignore[no-untyped-call]  # it has no types
        except (HTTPError, client.ApiException) as error:
            raise RetryableKubeError(f"{method} {path}: {error}") from error
        if status in none_on:
            return None
        if status >= 400:
            raise _error(method, path, status, data)
        # Keys and short values are the same in all objects, and in memory once.
        return dict(from_json(data, cache_strings="all"))


def _path(kind: Kind, namespace: str, name: str = "") -> str:
    scope = f"/namespaces/{namespace}" if kind.namespaced and namespace else ""
    return f"{kind.path}{scope}/{kind.plural}" + (f"/{name}" if name else "")


def _object_path(manifest: Object) -> str:
    metadata = manifest["metadata"]
    return _path(KINDS[manifest["kind"]], metadata["namespace"], metadata["name"])


def _error(method: str, path: str, status: int, data: bytes) -> KubeError:
    try:
        message = json.loads(data).get("message", "")
    except (ValueError, AttributeError):
        message = data[:200].decode(errors="replace")
    is_retryable = status in (401, 409, 429) or status >= 500
    kind = RetryableKubeError if is_retryable else PermanentKubeError
    return kind(f"{method} {path}: {status} {message}")
