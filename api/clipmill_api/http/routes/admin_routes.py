"""Users, tiers and their keys."""

from __future__ import annotations

from fastapi import APIRouter, Depends
from sqlalchemy.orm import Session

from clipmill.protocol import KeyReply, TierView, UserView
from clipmill_api.context import Ctx, new_id
from clipmill_api.http.authentication import admin_only, digest, new_key
from clipmill_api.http.problem_details import ApiProblem, not_found
from clipmill_api.queries import users_and_keys
from clipmill_api.tables import KeyRow, TierRow, UserRow

router = APIRouter(prefix="/api/admin", tags=["admin"], dependencies=[Depends(admin_only)])


def _same(path: str, body: str) -> None:
    if path != body:
        detail = f"name: the path says {path!r}, the body {body!r}"
        raise ApiProblem(422, "Invalid", detail, field="name")


def _tier_view(row: TierRow) -> TierView:
    return TierView(
        name=row.name,
        storage_limit_bytes=row.storage_limit_bytes,
        render_limit_seconds=row.render_limit_s,
        apply_watermark=row.apply_watermark,
        max_resolution=row.max_resolution,
        max_fps=row.max_fps,
        max_clips=row.max_clips,
    )


@router.get("/users")
def get_users(ctx: Ctx) -> list[UserView]:
    """All users by name."""
    with ctx.db.read() as session:
        return [UserView(name=row.name, tier=row.tier) for row in users_and_keys.users(session)]


@router.put("/users/{name}")
def put_user(ctx: Ctx, name: str, user: UserView) -> UserView:
    """Create a user, or move one to another tier."""
    _same(name, user.name)

    def put(session: Session) -> None:
        if users_and_keys.tier(session, user.tier) is None:
            known = ", ".join(tier.name for tier in users_and_keys.tiers(session))
            detail = f"tier: there is no {user.tier!r}; there are {known}"
            raise ApiProblem(422, "Invalid", detail, field="tier")
        row = users_and_keys.user(session, name)
        if row is None:
            row = UserRow(name=name, tier=user.tier, storage_used_bytes=0, created_at=ctx.now())
            users_and_keys.add(session, row)
        row.tier = user.tier

    ctx.db.write(put)
    return user


@router.post("/users/{name}/keys", status_code=201)
def mint(ctx: Ctx, name: str) -> KeyReply:
    """A fresh key for a user. It is shown once."""
    secret = new_key("user")

    def minted(session: Session) -> None:
        if users_and_keys.user(session, name) is None:
            raise not_found("user", name)
        key = KeyRow(id=new_id("s"), secret_sha256=digest(secret), role="user", owner=name)
        users_and_keys.add_key(session, key)

    ctx.db.write(minted)
    return KeyReply(key=secret)


@router.get("/tiers")
def get_tiers(ctx: Ctx) -> list[TierView]:
    """All tiers by name."""
    with ctx.db.read() as session:
        return [_tier_view(row) for row in users_and_keys.tiers(session)]


@router.put("/tiers/{name}")
def put_tier(ctx: Ctx, name: str, tier: TierView) -> TierView:
    """Create or change a tier. A limit of null is no limit, 0 is nothing at all."""
    _same(name, tier.name)

    def put(session: Session) -> None:
        row = users_and_keys.tier(session, name)
        if row is None:
            row = TierRow(name=name, apply_watermark=tier.apply_watermark)
            users_and_keys.add(session, row)
        row.storage_limit_bytes = tier.storage_limit_bytes
        row.render_limit_s = tier.render_limit_seconds
        row.apply_watermark = tier.apply_watermark
        row.max_resolution = tier.max_resolution
        row.max_fps = tier.max_fps
        row.max_clips = tier.max_clips

    ctx.db.write(put)
    return tier
