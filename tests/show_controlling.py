"""A controller of Shows with an API and a cluster in memory."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from clipmill.shows.show_messages import (
    DiscoverJob,
    EpisodeState,
    EpisodeView,
    FailedDiscovery,
    ShowRegistration,
    ShowTick,
    ShowView,
)
from clipmill_client.errors import ClientError, PermanentError
from clipmill_operator.building.labels import OWNER
from clipmill_operator.kube_client import JOB, KINDS, NAMESPACE, POD, Kind, ObjectList
from clipmill_operator.reconciling.job_writer import JobWriter
from clipmill_operator.reconciling.network_policies import NetworkPolicies
from clipmill_operator.reconciling.status_writer import StatusWriter
from clipmill_operator.settings import Settings
from clipmill_operator.shows.discover_jobs import DiscoverJobs
from clipmill_operator.shows.show_controller import ShowController
from clipmill_operator.shows.show_memory import ShowMemory
from clipmill_operator.shows.show_registrar import ShowRegistrar
from clipmill_operator.watching.namespace_owners import NamespaceOwners
from clipmill_operator.watching.object_cache import ClusterCache
from clipmill_operator.watching.observed import SHOW_PREFIX, Key
from operator_objects import SETTINGS

Object = dict[str, Any]
START = datetime(2026, 11, 27, 18, tzinfo=UTC)
SPEC: Object = {
    "schedule": "0 18 * * FRI",
    "timeZone": "Europe/Berlin",
    "sources": [{"feed": {"url": "https://example.org/clips.xml"}}],
    "template": {"outputs": [{"name": "main", "preset": "youtube"}]},
}


def show_body(name: str = "weekly", uid: str = "uid-1", **spec: Any) -> Object:
    """Return a Show as kubectl creates it."""
    return {
        "apiVersion": "clipmill.dev/v1alpha1",
        "kind": "Show",
        "metadata": {"name": name, "namespace": "clips", "uid": uid, "generation": 1},
        "spec": {**SPEC, **spec},
    }


def discover_task(name: str = "weekly-20261127-1800", **fields: Any) -> DiscoverJob:
    """Return an episode of that Show that needs a pod."""
    usual = {
        "episode_id": f"e-{name[-4:]}abcd",
        "show_uid": "uid-1",
        "show_name": "weekly",
        "namespace": "clips",
        "name": name,
        "owner": "default",
    }
    return DiscoverJob(**{**usual, **fields})


def episode(state: EpisodeState, number: int = 1, **fields: Any) -> EpisodeView:
    """Return an episode of that Show."""
    return EpisodeView(
        id="e-1800abcd",
        show_id="s-abcd1234",
        number=number,
        scheduled_at=START,
        state=state,
        name="weekly-20261127-1800",
        **fields,
    )


class MemoryCluster:
    """Objects by kind, namespace and name. Every write gets the next resource version."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str, str], Object] = {}
        self.version = 0
        self.owner = ""
        self.writes: list[str] = []
        # Called with a description before each write; it may raise.
        self.before: Callable[[str], None] = lambda _: None

    def add(self, body: Object) -> Object:
        """Store an object as it is."""
        kind = KINDS[body["kind"]].plural if body["kind"] in KINDS else "pods"
        metadata = body["metadata"]
        self.version += 1
        metadata["resourceVersion"] = str(self.version)
        metadata.setdefault("uid", f"uid-{self.version}")
        self.objects[kind, metadata["namespace"], metadata["name"]] = body
        return copy.deepcopy(body)

    def all(self, kind: Kind) -> list[Object]:
        """Return the objects of a kind."""
        return [copy.deepcopy(body) for key, body in self.objects.items() if key[0] == kind.plural]

    # --- the operator's client ----------------------------------------------------------------

    def get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """Return an object; every namespace has the same owner, if any."""
        if kind == NAMESPACE:
            labels = {OWNER: self.owner} if self.owner else {}
            return {"metadata": {"name": name, "labels": labels}}
        return copy.deepcopy(self.objects.get((kind.plural, namespace, name)))

    def list_objects(self, kind: Kind, namespace: str, selector: str = "") -> ObjectList:
        """Return all objects of a kind."""
        return ObjectList(self.all(kind), self.version)

    def create(self, manifest: Object) -> Object | None:
        """Create an object, or return None if its name is taken."""
        key = self._key(manifest)
        if key in self.objects:
            return None
        self._write(f"create {manifest['kind']}")
        return self.add(copy.deepcopy(manifest))

    def apply(
        self, manifest: Object, *, subresource: str = "", force: bool = True
    ) -> Object | None:
        """Apply an object, or its status."""
        self._write(f"apply {manifest['kind']} {subresource}".strip())
        if not subresource:
            return self.add(copy.deepcopy(manifest))
        current = self.objects.get(self._key(manifest))
        return self.add({**current, "status": manifest["status"]}) if current else None

    def delete(self, kind: Kind, namespace: str, name: str, uid: str | None = None) -> None:
        """Delete an object."""
        self._write(f"delete {kind.plural}")
        self.objects.pop((kind.plural, namespace, name), None)

    def _key(self, manifest: Object) -> tuple[str, str, str]:
        metadata = manifest["metadata"]
        return KINDS[manifest["kind"]].plural, metadata["namespace"], metadata["name"]

    def _write(self, name: str) -> None:
        self.before(name)
        self.writes.append(name)


class FakeShowApi:
    """The operator's routes about shows."""

    def __init__(self) -> None:
        self.views: dict[str, ShowView] = {}
        self.changes: dict[str, int] = {}
        self.cursor = 0
        self.tasks: list[DiscoverJob] = []
        self.failures: list[tuple[str, FailedDiscovery]] = []
        self.requests: list[str] = []
        self.error: ClientError | None = None

    @property
    def shows(self) -> FakeShowApi:
        """Return the calls about shows."""
        return self

    def register(self, uid: str, registration: ShowRegistration) -> ShowView:
        """Store a generation."""
        self._request(f"register {registration.generation} for {registration.owner}")
        previous = self.views.get(uid)
        if previous is not None and previous.generation > registration.generation:
            raise PermanentError("StaleGeneration", "newer", status=409)
        if previous is not None and previous.owner != registration.owner:
            raise PermanentError("OwnerConflict", "of another owner", status=409)
        same = previous is not None and previous.generation == registration.generation
        if previous is not None and same and previous.spec != registration.spec:
            raise PermanentError("GenerationConflict", "another spec", status=409)
        return self.change(
            uid,
            namespace=registration.namespace,
            name=registration.name,
            owner=registration.owner,
            generation=registration.generation,
            spec=registration.spec,
        )

    def change(self, uid: str, **fields: Any) -> ShowView:
        """Change a view, as time does."""
        previous = (
            dict(self.views[uid]) if uid in self.views else {"id": "s-abcd1234", "ready": True}
        )
        self.cursor += 1
        self.changes[uid] = self.cursor
        self.views[uid] = ShowView(**{**previous, "uid": uid, **fields})
        return self.views[uid]

    def delete(self, uid: str) -> None:
        """Delete a show."""
        self._request(f"delete {uid}")
        self.views.pop(uid, None)
        self.tasks = [task for task in self.tasks if task.show_uid != uid]

    def tick(self, cursor: int) -> ShowTick:
        """Return changed views and all tasks."""
        self._request(f"tick {cursor}")
        changed = [view for uid, view in self.views.items() if self.changes[uid] > cursor]
        return ShowTick(cursor=self.cursor, changed=changed, discover=self.tasks)

    def create_key(self, episode_id: str) -> str:
        """Return a key."""
        self._request(f"key {episode_id}")
        return f"cm_j_{episode_id}"

    def report_failed(self, episode_id: str, failure: FailedDiscovery) -> None:
        """End the discovery of an episode."""
        self._request(f"failed {episode_id}")
        self.failures.append((episode_id, failure))
        self.tasks = [task for task in self.tasks if task.episode_id != episode_id]

    def _request(self, name: str) -> None:
        if self.error:
            raise self.error
        self.requests.append(name)


class ShowWorld:
    """One controller, which may be replaced by another one at any time."""

    def __init__(self, settings: Settings = SETTINGS) -> None:
        self.kube, self.api, self.time = MemoryCluster(), FakeShowApi(), 1000.0
        self.settings = settings
        self.cache, self.controller = self.started()

    def started(self) -> tuple[ClusterCache, ShowController]:
        """Return a new operator that remembers nothing."""
        kube: Any = self.kube
        api: Any = self.api
        cache, memory = ClusterCache(), ShowMemory()
        namespaces = NamespaceOwners(kube, lambda: self.time)
        discovery = DiscoverJobs(
            api,
            JobWriter(kube, cache, self.settings),
            NetworkPolicies(kube, self.settings),
            self.settings,
            lambda: self.time,
        )
        controller = ShowController(
            kube=kube,
            api=api,
            cache=cache,
            memory=memory,
            registrar=ShowRegistrar(api, namespaces, memory, self.settings),
            discovery=discovery,
            writer=StatusWriter(kube, cache),
            clock=lambda: self.time,
            now=lambda: START,
        )
        return cache, controller

    def restart(self) -> None:
        """Replace the operator."""
        self.cache, self.controller = self.started()

    def observe(self) -> None:
        """Deliver every object to the cache, as a resync does."""
        self.cache.shows.resync(self.kube.list_objects(KINDS["Show"], ""))
        self.cache.jobs.resync(self.kube.list_objects(JOB, ""))
        self.cache.pods.resync(self.kube.list_objects(POD, ""))

    def round(self, seconds: float = 5.0) -> list[Key]:
        """Observe, tick, and reconcile what the tick returned."""
        self.time += seconds
        self.observe()
        keys = self.controller.tick()
        for namespace, name in keys:
            self.controller.reconcile((namespace, name.removeprefix(SHOW_PREFIX)))
        return keys

    def show(self, name: str = "weekly") -> Object:
        """Return a Show of the cluster."""
        return self.kube.objects["shows", "clips", name]

    def status(self, name: str = "weekly") -> Mapping[str, Any]:
        """Return the status of a Show."""
        status: Mapping[str, Any] = self.show(name).get("status", {})
        return status

    def ready(self, name: str = "weekly") -> tuple[str, str]:
        """Return status and reason of the condition Ready."""
        (ready,) = (c for c in self.status(name)["conditions"] if c["type"] == "Ready")
        return ready["status"], ready["reason"]

    def events(self) -> list[tuple[str, str]]:
        """Return type and reason of all events, in their order."""
        return [(e["type"], e["reason"]) for e in self.kube.all(KINDS["Event"])]

    def edit(self, name: str = "weekly", **spec: Any) -> None:
        """Change the spec of a Show, which is a new generation."""
        body = copy.deepcopy(self.show(name))
        body["spec"] |= spec
        body["metadata"]["generation"] += 1
        self.kube.add(body)
        self.observe()
        self.controller.reconcile(("clips", name))

    def end_job(self, result: str, exit_code: int = 1, message: str = "") -> None:
        """End the pods of the only Job, and the Job."""
        (job,) = self.kube.all(JOB)
        condition = {"type": result, "status": "True", "message": "BackoffLimitExceeded"}
        job["status"] = {"conditions": [condition]}
        self.kube.add(job)
        self.add_pod(job, {"terminated": {"exitCode": exit_code, "message": message}})

    def add_pod(self, job: Object, state: Object, phase: str = "Failed") -> None:
        """Add the pod of a Job with the state of its container."""
        labels = {"batch.kubernetes.io/job-name": job["metadata"]["name"]}
        metadata = {"name": job["metadata"]["name"] + "-x", "namespace": "clips", "labels": labels}
        status = {"phase": phase, "containerStatuses": [{"state": state}]}
        self.kube.add({"kind": "Pod", "metadata": metadata, "status": status})
