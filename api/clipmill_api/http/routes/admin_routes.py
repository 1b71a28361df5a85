"""Routes for users, tiers and the keys of users."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from clipmill.protocol import (
    CreatedKey,
    KeyExpiry,
    KeyView,
    MediaPage,
    TierView,
    UsageImport,
    UsageImportReply,
    UserView,
)
from clipmill_api.accounts import usage_import, user_deletion
from clipmill_api.compilations import responses
from clipmill_api.context import Ctx
from clipmill_api.database import Session
from clipmill_api.http.authentication import admin_only, new_key_row
from clipmill_api.http.bodies.yaml_bodies import YamlRoute
from clipmill_api.http.paging import Cursor
from clipmill_api.http.problem_details import ApiProblem, not_found
from clipmill_api.queries import users_and_keys
from clipmill_api.tables import KeyRow, TierRow, UserRow
from clipmill_api.timestamps import format_time

router = APIRouter(
    route_class=YamlRoute, prefix="/api/admin", tags=["admin"], dependencies=[Depends(admin_only)]
)
# Tier of a new user whose request names none.
FIRST_TIER = "Free"
NO_EXPIRY = KeyExpiry()


def _require_same_name(path: str, body: str) -> None:
    if path != body:
        detail = f"name: {body!r} in the body differs from {path!r} in the path"
        raise ApiProblem(422, "Invalid", detail, field="name")


def _tier_view(tier: TierRow) -> TierView:
    return TierView(
        name=tier.name,
        storage_limit_bytes=tier.storage_limit_bytes,
        render_limit_seconds=tier.render_limit_s,
        apply_watermark=tier.apply_watermark,
        max_resolution=tier.max_resolution,
        max_fps=tier.max_fps,
        max_clips=tier.max_clips,
        result_days=tier.result_days,
    )


@router.get("/users")
def list_users(ctx: Ctx) -> list[UserView]:
    """Return all users, by name."""
    with ctx.db.read() as session:
        return [
            UserView(name=user.name, tier=user.tier) for user in users_and_keys.list_users(session)
        ]


@router.put("/users/{name}")
def put_user(ctx: Ctx, name: str, user: UserView) -> UserView:
    """Create a user, or move one to another tier. Without a tier, an existing user keeps theirs."""
    _require_same_name(name, user.name)

    def put(session: Session) -> UserView:
        row = users_and_keys.find_user(session, name)
        tier = user.tier or (row.tier if row else FIRST_TIER)
        if users_and_keys.find_tier(session, tier) is None:
            tiers = ", ".join(tier.name for tier in users_and_keys.list_tiers(session))
            detail = f"tier: {tier!r} does not exist; existing tiers are {tiers}"
            raise ApiProblem(422, "Invalid", detail, field="tier")
        if row is None:
            row = UserRow(name=name, tier=tier, storage_used_bytes=0, created_at=ctx.now())
            users_and_keys.add_user(session, row)
        row.tier = tier
        return UserView(name=name, tier=tier)

    return ctx.db.write(put)


@router.delete("/users/{name}", status_code=204)
def delete_user(ctx: Ctx, name: str) -> None:
    """Delete a user who has no active compilation, with keys, media and everything else.

    The bytes of the media are kept for the grace period of deletions.
    """
    ctx.db.write(lambda session: user_deletion.delete_user(session, ctx, name))


def _require_user(session: Session, name: str) -> None:
    if users_and_keys.find_user(session, name) is None:
        raise not_found("user", name)


def _key_view(key: KeyRow) -> KeyView:
    times = {
        "created_at": key.created_at,
        "last_used_at": key.last_used_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
    }
    return KeyView(id=key.id, **{name: format_time(at) for name, at in times.items() if at})


@router.get("/users/{name}/keys")
def list_user_keys(ctx: Ctx, name: str) -> list[KeyView]:
    """Return the keys of a user, newest first, without their secrets."""
    ctx.key_uses.store(ctx.db)
    with ctx.db.read() as session:
        _require_user(session, name)
        return [_key_view(key) for key in users_and_keys.list_user_keys(session, name)]


@router.post("/users/{name}/keys", status_code=201)
def create_user_key(ctx: Ctx, name: str, request: KeyExpiry = NO_EXPIRY) -> CreatedKey:
    """Create a key for a user. The API does not show it again."""
    lifetime_s = request.expires_in_seconds
    key, secret = new_key_row(
        "user",
        name,
        created_at=ctx.now(),
        expires_at=ctx.later(lifetime_s) if lifetime_s else None,
    )

    def add(session: Session) -> None:
        _require_user(session, name)
        users_and_keys.add_key(session, key)

    ctx.db.write(add)
    return CreatedKey(**dict(_key_view(key)), key=secret)


@router.delete("/users/{name}/keys/{key_id}", status_code=204)
def revoke_user_key(ctx: Ctx, name: str, key_id: str) -> None:
    """Revoke a key of a user at once. Revoking it again changes nothing."""

    def revoke(session: Session) -> None:
        if not users_and_keys.revoke_user_key(session, name, key_id, at=ctx.now()):
            raise not_found("key", key_id)

    ctx.db.write(revoke)


@router.get("/users/{name}/media")
def list_user_media(
    ctx: Ctx, name: str, after: Cursor, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> MediaPage:
    """Return a page of a user's media library, newest first."""
    with ctx.db.read() as session:
        _require_user(session, name)
        return responses.media_page(session, name, after, limit)


@router.post("/users/{name}/usage")
def import_user_usage(ctx: Ctx, name: str, request: UsageImport) -> UsageImportReply:
    """Add render time of another system to a user's usage; entries that exist are kept."""
    return ctx.db.write(lambda session: usage_import.import_usage(session, name, request))


@router.get("/tiers")
def list_tiers(ctx: Ctx) -> list[TierView]:
    """Return all tiers, by name."""
    with ctx.db.read() as session:
        return [_tier_view(tier) for tier in users_and_keys.list_tiers(session)]


@router.put("/tiers/{name}")
def put_tier(ctx: Ctx, name: str, tier: TierView) -> TierView:
    """Create or replace a tier. A limit of null is no limit; a limit of 0 allows nothing."""
    _require_same_name(name, tier.name)

    def put(session: Session) -> None:
        row = users_and_keys.find_tier(session, name)
        if row is None:
            row = TierRow(name=name, apply_watermark=tier.apply_watermark)
            users_and_keys.add_tier(session, row)
        row.storage_limit_bytes = tier.storage_limit_bytes
        row.render_limit_s = tier.render_limit_seconds
        row.apply_watermark = tier.apply_watermark
        row.max_resolution = tier.max_resolution
        row.max_fps = tier.max_fps
        row.max_clips = tier.max_clips
        row.result_days = tier.result_days

    ctx.db.write(put)
    return tier
