"""ASGI middleware that answers 403 to jobs whose address is not in the allowed ranges."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address, ip_network

from starlette.types import ASGIApp, Receive, Scope, Send

from clipmill_api.http.metrics import Metrics
from clipmill_api.http.problem_details import problem_response

# Paths that only jobs and programs for the legacy worker API call.
WORKER_PATHS = ("/api/worker/", "/api/jobs/")
JOB_KEY = b"bearer cm_j_"


class WorkerSourcesMiddleware:
    """Refuse requests to the endpoints of jobs, and any with a job's key, from other networks.

    The address is that of the connection. uvicorn replaces it by X-Forwarded-For for connections
    from `trusted_proxies` only.
    """

    def __init__(self, app: ASGIApp, sources: Collection[str], metrics: Metrics) -> None:
        self.app = app
        self._networks = tuple(map(ip_network, sources))
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 403."""
        if scope["type"] != "http" or not _is_of_job(scope) or self._is_allowed(scope):
            await self.app(scope, receive, send)
            return
        self._metrics.refusals.labels("SourceNotAllowed").inc()
        detail = (
            f"address: jobs may not call the API from {_address(scope)!r} (CLIPMILL_WORKER_SOURCES)"
        )
        await problem_response(403, "SourceNotAllowed", detail)(scope, receive, send)

    def _is_allowed(self, scope: Scope) -> bool:
        try:
            address = ip_address(_address(scope))
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None) or address
        return any(mapped in network for network in self._networks)


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def _is_of_job(scope: Scope) -> bool:
    if scope["path"].startswith(WORKER_PATHS):
        return True
    return any(
        name == b"authorization" and b" ".join(value.split()).lower().startswith(JOB_KEY)
        for name, value in scope["headers"]
    )
