"""The API: settings in, an app out. Everything it needs hangs on `app.state.context`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from sqlalchemy import text

from clipmill_api.context import Clock, Context, Ctx, utc_now
from clipmill_api.database import Database
from clipmill_api.http import metrics, openapi, problem_details
from clipmill_api.http.authentication import digest
from clipmill_api.http.metrics import Metrics
from clipmill_api.http.request_limits import Door
from clipmill_api.http.routes import (
    account_routes,
    admin_routes,
    compilation_routes,
    media_routes,
    operator_routes,
    upload_routes,
    worker_routes,
)
from clipmill_api.media import sample_clips
from clipmill_api.media.blob_store import Store
from clipmill_api.media.retention import sweep, sweeping
from clipmill_api.migrate import migrate
from clipmill_api.queries import users_and_keys
from clipmill_api.settings import Settings
from clipmill_api.studio import pages


def create_app(settings: Settings, clock: Clock = utc_now) -> FastAPI:
    """An API over its database, which is brought to the newest form first."""
    settings.state.mkdir(parents=True, exist_ok=True)
    db = Database(settings.database)
    migrate(db)
    ctx = Context(settings, db, Store(settings.state, settings.store_url), Metrics(), clock)
    sweep(ctx)
    seed_default_owner(ctx)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with sweeping(ctx):
            yield
        db.close()

    app = FastAPI(
        title="Clipmill",
        version="0.1.0",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.context = ctx
    app.add_middleware(Door)
    problem_details.install(app)
    metrics.install(app, ctx.metrics, db)
    pages.install(app)
    openapi.install(app)
    for room in (
        compilation_routes,
        media_routes,
        upload_routes,
        account_routes,
        worker_routes,
        operator_routes,
        admin_routes,
    ):
        app.include_router(room.router)
    if settings.samples:
        app.include_router(sample_clips.router)
    app.get("/healthz", include_in_schema=False)(_alive)
    app.get("/readyz", include_in_schema=False)(_ready)
    return app


def _alive() -> dict[str, str]:
    return {"status": "ok"}


def _ready(ctx: Ctx) -> dict[str, str]:
    with ctx.db.read() as session:
        session.execute(text("SELECT 1"))
    return {"status": "ok"}


def seed_default_owner(ctx: Context) -> None:
    """The owner of a single-tenant install, unlimited when new; a changed key ends the last one."""
    name, key = ctx.settings.default_owner, ctx.settings.default_owner_key
    if name:
        ctx.db.write(
            lambda session: users_and_keys.seed_owner(
                session, name, digest(key), tier="Unlimited", at=ctx.now()
            )
        )
