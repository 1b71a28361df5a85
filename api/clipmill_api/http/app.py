"""Create the API from its settings. Shared objects are in `app.state.context`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import Depends, FastAPI
from fastapi.routing import APIRoute
from pydantic.alias_generators import to_camel

from clipmill_api.context import Clock, Context, create_context, utc_now
from clipmill_api.database import Database
from clipmill_api.database_clock import DatabaseClock
from clipmill_api.delivery.result_sender import ResultSender
from clipmill_api.errors import StartRefused
from clipmill_api.http import (
    cross_origin,
    metrics,
    openapi,
    problem_details,
    readiness,
    request_limits,
)
from clipmill_api.http.authentication import digest
from clipmill_api.http.key_limit_middleware import KeyLimitMiddleware
from clipmill_api.http.request_forms import RequestFormsMiddleware
from clipmill_api.http.routes import (
    account_routes,
    admin_routes,
    compilation_routes,
    credential_routes,
    discovery_routes,
    event_routes,
    form_routes,
    media_routes,
    operator_routes,
    registration_routes,
    result_routes,
    show_operator_routes,
    show_routes,
    sign_in_routes,
    store_routes,
    upload_routes,
    webhook_routes,
    worker_routes,
)
from clipmill_api.http.unknown_parameters import refuse_unknown_parameters
from clipmill_api.legacy_worker import legacy_routes
from clipmill_api.media import sample_clips
from clipmill_api.media.retention import delete_leftovers, periodic_sweep
from clipmill_api.media.store_identity import check_identity
from clipmill_api.migrate import migrate
from clipmill_api.notifications.sender import NotificationSender
from clipmill_api.queries import users_and_keys
from clipmill_api.serving.worker_sources import WorkerSourcesMiddleware
from clipmill_api.settings import Settings
from clipmill_api.studio import pages
from clipmill_api.tracing.caller_trace import CallerTraceMiddleware

ROUTERS = (
    # First what jobs call most often: a request is compared with one route after the other.
    worker_routes.router,
    legacy_routes.router,
    compilation_routes.router,
    event_routes.router,
    result_routes.router,
    media_routes.router,
    form_routes.router,
    upload_routes.router,
    account_routes.router,
    sign_in_routes.router,
    credential_routes.router,
    webhook_routes.router,
    registration_routes.router,
    operator_routes.router,
    show_routes.router,
    show_operator_routes.router,
    admin_routes.router,
    store_routes.router,
)


def create_app(
    settings: Settings, clock: Clock | None = None, *, system_clock: Clock = utc_now
) -> FastAPI:
    """Return an API over its database, which is migrated to the newest schema first.

    Args:
        settings: The API's settings.
        clock: Function that returns the current time; by default that of the database.
        system_clock: Function that returns the time of this machine.
    """
    db = Database(settings.database, timeout_s=settings.database_timeout_s)
    database_clock = DatabaseClock(db, system_clock)
    ctx = create_context(settings, db, clock or database_clock)
    ctx.disk.restore_reserve()
    try:
        migrate(ctx.db)
        database_clock.measure()
        check_identity(ctx)
    except StartRefused:
        ctx.db.close()
        raise
    seed_default_owner(ctx)
    delete_leftovers(ctx)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with (
            periodic_sweep(ctx),
            ctx.key_uses.stored_periodically(ctx.db),
            NotificationSender(ctx).running(),
            ResultSender(ctx).running(),
            database_clock.measured_periodically(),
        ):
            yield
        ctx.plan_process.close()
        ctx.traces.close()
        ctx.db.close()

    app = FastAPI(
        title="Clipmill",
        version=version("clipmill"),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        # A redirected path is not a route, and would be counted in the metrics by its ids.
        redirect_slashes=False,
        generate_unique_id_function=operation_id,
    )
    app.state.context = ctx
    app.add_middleware(request_limits.RequestLimitMiddleware)
    app.add_middleware(KeyLimitMiddleware, settings=settings, metrics=ctx.metrics)
    if sources := settings.worker_sources:
        app.add_middleware(WorkerSourcesMiddleware, sources=sources, metrics=ctx.metrics)
    problem_details.install(app)
    metrics.install(app, ctx.metrics, ctx.db, ctx.now)
    if ctx.traces.is_on:
        app.add_middleware(CallerTraceMiddleware)
    app.add_middleware(RequestFormsMiddleware)
    cross_origin.install(app, settings.cors_origins)
    pages.install(app)
    openapi.install(app)
    for router in ROUTERS:
        # Not the limit of the app: that one would replace the problem details of a 413.
        # Programs written for the legacy worker API may send parameters of their own.
        strict = [] if router is legacy_routes.router else [Depends(refuse_unknown_parameters)]
        app.include_router(router, max_body_size=request_limits.MAX_BODY_BYTES, dependencies=strict)
    app.include_router(discovery_routes.router, max_body_size=request_limits.MAX_DISCOVERY_BYTES)
    if settings.samples:
        app.include_router(sample_clips.router)
    readiness.install(app)
    return app


def operation_id(route: APIRoute) -> str:
    """Return the operation id of a route: `list_compilations` becomes `listCompilations`."""
    return to_camel(route.name)


def seed_default_owner(ctx: Context) -> None:
    """Create the owner of a single-tenant installation, without limits.

    A changed key replaces the owner's earlier one. Without a default owner in the settings, the
    one of an earlier start loses its key.
    """
    name, key = ctx.settings.default_owner, ctx.settings.default_owner_key
    if not name:
        ctx.db.write(users_and_keys.remove_default_owner_key)
    else:
        ctx.db.write(
            lambda session: users_and_keys.seed_owner(
                session, name, digest(key), tier="Unlimited", at=ctx.now()
            )
        )
