"""Liveness and readiness.

Neither waits for a request thread, so that a loaded API is not taken for a dead one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeAlias

import anyio
from anyio.to_thread import run_sync
from fastapi import FastAPI

from clipmill_api.context import Context, Ctx
from clipmill_api.http.problem_details import ApiProblem

# Functions that raise if a dependency does not work, by its name.
ReadinessChecks: TypeAlias = "dict[str, Callable[[], object]]"
TIMEOUT_S = 3.0
# Threads for checks that hang; a check that finds none has not answered either.
MAX_THREADS = 6
# Asking for a blob that does not exist shows whether the store answers.
NO_OWNER = "_readiness"


def install(app: FastAPI) -> None:
    """Add /healthz and /readyz. `app.state.readiness_checks` takes checks of other parts."""
    app.state.readiness_checks = {}
    app.state.health_threads = anyio.CapacityLimiter(MAX_THREADS)
    app.get("/healthz", include_in_schema=False)(_is_alive)

    async def _is_ready(ctx: Ctx) -> dict[str, str]:
        further: ReadinessChecks = app.state.readiness_checks
        return await check_readiness(ctx, app.state.health_threads, further)

    app.get("/readyz", include_in_schema=False)(_is_ready)


async def _is_alive() -> dict[str, str]:
    return {"status": "ok"}


async def check_readiness(
    ctx: Context, threads: anyio.CapacityLimiter, further: ReadinessChecks
) -> dict[str, str]:
    """Return the status of all dependencies. Raise NotReady if one fails or does not answer."""
    checks: ReadinessChecks = {
        "database": ctx.db.ping,
        "store": lambda: ctx.store.exists(NO_OWNER, "0" * 64),
        "disk": lambda: _write_to_disk(ctx),
        **further,
    }
    failures: dict[str, str] = {}

    async def check(name: str) -> None:
        cause = await _failure(checks[name], threads)
        if cause:
            failures[name] = cause

    async with anyio.create_task_group() as group:
        for name in checks:
            group.start_soon(check, name)
    if failures:
        detail = "; ".join(f"{name}: {cause}" for name, cause in sorted(failures.items()))
        raise ApiProblem(503, "NotReady", detail, failed=sorted(failures))
    # With little space the API is ready, since files can be read and deleted.
    is_low = await run_sync(ctx.disk.is_low, limiter=threads)
    return {"status": "ok", **dict.fromkeys(checks, "ok"), "space": "low" if is_low else "ok"}


async def _failure(check: Callable[[], object], threads: anyio.CapacityLimiter) -> str | None:
    """Return why a check failed; None if it did not."""
    try:
        with anyio.fail_after(TIMEOUT_S):
            await run_sync(check, limiter=threads, abandon_on_cancel=True)
    except TimeoutError:
        return f"no answer within {TIMEOUT_S:g} s"
    except Exception as error:  # whatever a store or a driver raises
        # Addresses and statements are nobody's business who asks without a key.
        return type(error).__name__
    return None


def _write_to_disk(ctx: Context) -> None:
    """Create and delete an empty file, which also a full disk allows. Raise OSError."""
    path = ctx.settings.state / f".ready-{os.getpid()}"
    path.touch()
    path.unlink(missing_ok=True)
