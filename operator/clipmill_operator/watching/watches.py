"""The watches, by kopf, which writes nothing into any resource: no finalizer, no annotation.

Handlers only pass on what they are told; the loop decides.
"""

from __future__ import annotations

import asyncio
from typing import Any

import kopf

from clipmill_operator.building.builders import SELECTOR
from clipmill_operator.building.resource import GROUP, PLURAL, VERSION
from clipmill_operator.settings import Settings
from clipmill_operator.watching.control_loop import Loop
from clipmill_operator.watching.health import Health

WATCHED = {
    "compilations": (GROUP, VERSION, PLURAL),
    "jobs": ("batch", "v1", "jobs"),
    "pods": ("", "v1", "pods"),
}
POLICIES = ("networking.k8s.io", "v1", "networkpolicies")


def registry(loop: Loop, health: Health) -> kopf.OperatorRegistry:
    """What kopf is to watch, and whom to tell."""
    made = kopf.OperatorRegistry()
    for kind, where in WATCHED.items():
        kopf.on.event(*where, registry=made, id=kind)(_teller(loop, kind))

    async def policy(event: Any, **_: Any) -> None:
        loop.policy_changed(event["object"]["metadata"]["namespace"])

    kopf.on.event(*POLICIES, registry=made, id="policies")(policy)
    _with_process(made, loop, health)
    return made


def _teller(loop: Loop, kind: str) -> Any:
    async def told(event: Any, **_: Any) -> None:
        loop.saw(kind, event["type"], dict(event["object"]))

    return told


def _with_process(made: kopf.OperatorRegistry, loop: Loop, health: Health) -> None:
    running: list[asyncio.Task[None]] = []

    async def start(**_: Any) -> None:
        running.append(asyncio.get_running_loop().create_task(loop.run()))

    async def stop(**_: Any) -> None:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def alive(**_: Any) -> dict[str, float]:
        for task in running:
            if task.done():
                task.result()
        return health.check()

    kopf.on.login(registry=made)(_login)
    kopf.on.startup(registry=made)(start)
    kopf.on.cleanup(registry=made)(stop)
    kopf.on.probe(registry=made, id="loop", errors=kopf.ErrorsMode.PERMANENT)(alive)


def _login(**given: Any) -> kopf.ConnectionInfo | None:
    """The pod's service account, its token read anew when it has run out; else a kubeconfig."""
    account = kopf.login_with_service_account(**given)
    return account or kopf.login_with_kubeconfig(**given)


def kopf_settings() -> kopf.OperatorSettings:
    """Watches that notice when they are dead, and nothing that is written."""
    made = kopf.OperatorSettings()
    made.posting.enabled = False
    made.scanning.disabled = True
    made.peering.standalone = True
    # A worker is an object's, and stays for its idle time: a limit would hold up all others.
    made.queueing.worker_limit = None
    made.queueing.idle_timeout = 0.5
    made.watching.server_timeout = 240
    made.watching.client_timeout = 300
    made.watching.connect_timeout = 10
    made.watching.chunk_size = 500
    made.networking.request_timeout = 30
    made.process.ultimate_exiting_timeout = 20
    for where in (WATCHED["jobs"], WATCHED["pods"], POLICIES):
        made.watching.label_selectors[where] = SELECTOR
    return made


def run(settings: Settings, loop: Loop, health: Health) -> None:
    """Watch until told to stop."""
    kopf.run(
        registry=registry(loop, health),
        settings=kopf_settings(),
        standalone=True,
        clusterwide=not settings.watch_namespaces,
        namespaces=settings.watch_namespaces,
        liveness_endpoint=f"http://0.0.0.0:{settings.health_port}/healthz",
    )
