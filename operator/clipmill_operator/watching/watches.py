"""Watches by kopf, which writes nothing into a resource: no finalizer and no annotation.

Handlers only pass events to the control loop.
"""

from __future__ import annotations

import asyncio
from typing import Any

import kopf

from clipmill_operator.building.labels import SELECTOR
from clipmill_operator.building.resource import GROUP, PLURAL, VERSION
from clipmill_operator.building.show_resource import SHOW_PLURAL
from clipmill_operator.settings import Settings
from clipmill_operator.watching.control_loop import ControlLoop
from clipmill_operator.watching.health import Health

WATCHED = {
    "compilations": (GROUP, VERSION, PLURAL),
    "shows": (GROUP, VERSION, SHOW_PLURAL),
    "jobs": ("batch", "v1", "jobs"),
    "pods": ("", "v1", "pods"),
}
NETWORK_POLICIES = ("networking.k8s.io", "v1", "networkpolicies")


class _NoDiffs(kopf.DiffBaseStorage):
    """Compares nothing: kopf copies each object for handlers of changes, and there are none."""

    def build(self, **_: Any) -> kopf.BodyEssence:
        """Return nothing to compare."""
        return kopf.BodyEssence()

    def fetch(self, **_: Any) -> None:
        """Return nothing to compare it with."""

    def store(self, **_: Any) -> None:
        """Store nothing."""


class _NoProgress(kopf.ProgressStorage):
    """Stores no progress: a handler of events is never called again for the same event."""

    def fetch(self, **_: Any) -> None:
        """Return no record."""

    def store(self, **_: Any) -> None:
        """Store nothing."""

    def purge(self, **_: Any) -> None:
        """Remove nothing."""

    def touch(self, **_: Any) -> None:
        """Write nothing."""

    def clear(self, *, essence: kopf.BodyEssence) -> kopf.BodyEssence:
        """Return what is compared, which holds no progress."""
        return essence


def registry(loop: ControlLoop, health: Health) -> kopf.OperatorRegistry:
    """Return the handlers of all watches and of the process's start, end and probe."""
    handlers = kopf.OperatorRegistry()
    for kind, resource in WATCHED.items():
        kopf.on.event(*resource, registry=handlers, id=kind)(_object_handler(loop, kind))

    async def on_policy(event: Any, **_: Any) -> None:
        loop.on_policy_event(event["object"]["metadata"]["namespace"])

    kopf.on.event(*NETWORK_POLICIES, registry=handlers, id="policies")(on_policy)
    _add_process_handlers(handlers, loop, health)
    return handlers


def _object_handler(loop: ControlLoop, kind: str) -> Any:
    async def on_event(event: Any, **_: Any) -> None:
        loop.on_event(kind, event["type"], dict(event["object"]))

    return on_event


def _add_process_handlers(
    handlers: kopf.OperatorRegistry, loop: ControlLoop, health: Health
) -> None:
    tasks: list[asyncio.Task[None]] = []

    async def start(**_: Any) -> None:
        tasks.append(asyncio.get_running_loop().create_task(loop.run()))

    async def stop(**_: Any) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def probe(**_: Any) -> dict[str, float]:
        for task in tasks:
            if task.done():
                task.result()
        return health.check()

    kopf.on.login(registry=handlers)(_login)
    kopf.on.startup(registry=handlers)(start)
    kopf.on.cleanup(registry=handlers)(stop)
    kopf.on.probe(registry=handlers, id="loop", errors=kopf.ErrorsMode.PERMANENT)(probe)


def _login(**arguments: Any) -> kopf.ConnectionInfo | None:
    """Use the pod's service account, whose token is read again when it expires, or a kubeconfig."""
    account = kopf.login_with_service_account(**arguments)
    return account or kopf.login_with_kubeconfig(**arguments)


def kopf_settings() -> kopf.OperatorSettings:
    """Return settings by which kopf notices dead watches and writes nothing."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.peering.standalone = True
    settings.persistence.diffbase_storage = _NoDiffs()
    settings.persistence.progress_storage = _NoProgress()
    # kopf keeps one worker per object until its idle time-out: a limit would block other objects.
    settings.queueing.worker_limit = None
    settings.queueing.idle_timeout = 0.5
    settings.watching.server_timeout = 240
    settings.watching.client_timeout = 300
    settings.watching.connect_timeout = 10
    settings.watching.chunk_size = 500
    settings.networking.request_timeout = 30
    settings.process.ultimate_exiting_timeout = 20
    for resource in (WATCHED["jobs"], WATCHED["pods"], NETWORK_POLICIES):
        settings.watching.label_selectors[resource] = SELECTOR
    return settings


def run(settings: Settings, loop: ControlLoop, health: Health) -> None:
    """Watch until a signal ends the process."""
    kopf.run(
        registry=registry(loop, health),
        settings=kopf_settings(),
        standalone=True,
        clusterwide=not settings.watch_namespaces,
        namespaces=settings.watch_namespaces,
        liveness_endpoint=f"http://0.0.0.0:{settings.health_port}/healthz",
    )
