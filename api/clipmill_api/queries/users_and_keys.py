"""SQL of users, tiers and keys."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, bindparam, delete, insert, select, update
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from clipmill.protocol.tier_limits import TIERS
from clipmill_api.queries.statements import execute_built
from clipmill_api.tables import (
    EpisodeRow,
    KeyRow,
    RevisionRow,
    TaskRow,
    TierRow,
    UserRow,
)

DEFAULT_OWNER_KEY_ID = "s-default-owner"


def seed_tiers(session: Session) -> None:
    """Insert the built-in tiers that are missing. Existing ones keep an administrator's changes."""
    existing = set(session.scalars(select(TierRow.name)))
    for tier in TIERS:
        if tier.name not in existing:
            session.add(TierRow(**tier._asdict()))


def seed_owner(session: Session, name: str, secret_sha256: str, *, tier: str, at: datetime) -> None:
    """Insert the default owner if missing; its key replaces the last one, unless it exists."""
    if session.get(UserRow, name) is None:
        session.add(UserRow(name=name, tier=tier, storage_used_bytes=0, created_at=at))
        session.flush()
    same = select(KeyRow.id).where(KeyRow.secret_sha256 == secret_sha256, KeyRow.owner == name)
    if session.scalar(same) not in (None, DEFAULT_OWNER_KEY_ID):
        return
    key = session.get(KeyRow, DEFAULT_OWNER_KEY_ID)
    if key is None:
        key = KeyRow(id=DEFAULT_OWNER_KEY_ID, role="user", secret_sha256=secret_sha256)
        session.add(key)
    key.owner, key.secret_sha256 = name, secret_sha256


def remove_default_owner_key(session: Session) -> None:
    """Delete the key of a default owner that the settings no longer name."""
    session.execute(delete(KeyRow).where(KeyRow.id == DEFAULT_OWNER_KEY_ID))


class StoredKey(NamedTuple):
    """A key with the state of its revision and its task, or of its episode, if it is a job's."""

    id: str
    role: str
    owner: str | None
    compilation_id: str | None
    generation: int | None
    stage: str | None
    expires_at: datetime | None
    revoked_at: datetime | None
    task_index: int | None
    epoch: int | None
    revision_state: str | None
    revision_stage: str | None
    task_epoch: int | None
    task_done: bool | None
    task_lease_until: datetime | None
    episode_id: str | None
    episode_state: str | None
    episode_epoch: int | None
    episode_lease_until: datetime | None


_SAME_REVISION = and_(
    RevisionRow.compilation_id == KeyRow.compilation_id,
    RevisionRow.generation == KeyRow.generation,
)
_SAME_TASK = and_(
    TaskRow.compilation_id == KeyRow.compilation_id,
    TaskRow.generation == KeyRow.generation,
    TaskRow.stage == KeyRow.stage,
    TaskRow.index == KeyRow.task_index,
)
# Sent with every request, so it is built once.
_KEY_OF_SECRET = (
    select(
        KeyRow.id,
        KeyRow.role,
        KeyRow.owner,
        KeyRow.compilation_id,
        KeyRow.generation,
        KeyRow.stage,
        KeyRow.expires_at,
        KeyRow.revoked_at,
        KeyRow.task_index,
        KeyRow.epoch,
        RevisionRow.state,
        RevisionRow.stage,
        TaskRow.epoch,
        TaskRow.done,
        TaskRow.lease_until,
        KeyRow.episode_id,
        EpisodeRow.state,
        EpisodeRow.epoch,
        EpisodeRow.lease_until,
    )
    .outerjoin(RevisionRow, _SAME_REVISION)
    .outerjoin(TaskRow, _SAME_TASK)
    .outerjoin(EpisodeRow, EpisodeRow.id == KeyRow.episode_id)
    .where(KeyRow.secret_sha256 == bindparam("secret_sha256"))
)


def find_key(connection: Connection, secret_sha256: str) -> StoredKey | None:
    """Return a key by the hash of its secret."""
    row = execute_built(connection, _KEY_OF_SECRET, {"secret_sha256": secret_sha256}).one_or_none()
    return StoredKey._make(row) if row else None


def list_user_keys(session: Session, owner: str) -> list[KeyRow]:
    """Return the keys of a user, newest first; revoked and expired ones too."""
    query = select(KeyRow).where(KeyRow.owner == owner, KeyRow.role == "user")
    return list(session.scalars(query.order_by(KeyRow.created_at.desc(), KeyRow.id)))


def revoke_user_key(session: Session, owner: str, key_id: str, *, at: datetime) -> bool:
    """Revoke a key of a user; one that is revoked stays as it is. Return False if unknown."""
    key = session.get(KeyRow, key_id)
    if key is None or key.owner != owner or key.role != "user":
        return False
    key.revoked_at = key.revoked_at or at
    return True


def use_sign_in_key(session: Session, key_id: str, *, at: datetime) -> bool:
    """Revoke a key for signing in; return whether this call was the first to do so."""
    unused = update(KeyRow).where(KeyRow.id == key_id, KeyRow.revoked_at.is_(None))
    return session.execute(unused.values(revoked_at=at).returning(KeyRow.id)).first() is not None


def store_key_uses(session: Session, used_at: Mapping[str, datetime]) -> None:
    """Store when keys were last used, unless another replica stored a later time."""
    for key_id, at in sorted(used_at.items()):
        is_earlier = KeyRow.last_used_at.is_(None) | (KeyRow.last_used_at < at)
        key = update(KeyRow).where(KeyRow.id == key_id, is_earlier)
        session.execute(key.values(last_used_at=at))


_KEY = insert(KeyRow)


def add_job_key(session: Session, key: Mapping[str, Any]) -> None:
    """Insert the key of a job by its columns."""
    execute_built(session, _KEY, key)


def add_key(session: Session, key: KeyRow) -> None:
    """Insert a key."""
    session.add(key)


def add_user(session: Session, user: UserRow) -> None:
    """Insert a user."""
    session.add(user)


def add_tier(session: Session, tier: TierRow) -> None:
    """Insert a tier."""
    session.add(tier)


def revoke_stage_keys(
    session: Session, compilation_id: str, *, generation: int, stage: str, at: datetime
) -> None:
    """Revoke all keys of a stage of a revision."""
    session.execute(
        update(KeyRow)
        .where(KeyRow.compilation_id == compilation_id, KeyRow.generation == generation)
        .where(KeyRow.stage == stage, KeyRow.revoked_at.is_(None))
        .values(revoked_at=at)
    )


def find_user(session: Session, name: str) -> UserRow | None:
    """Return a user by name."""
    return session.get(UserRow, name)


def list_users(session: Session) -> list[UserRow]:
    """Return all users by name."""
    return list(session.scalars(select(UserRow).order_by(UserRow.name)))


def find_tier(session: Session, name: str) -> TierRow | None:
    """Return a tier by name."""
    return session.get(TierRow, name)


def list_tiers(session: Session) -> list[TierRow]:
    """Return all tiers by name."""
    return list(session.scalars(select(TierRow).order_by(TierRow.name)))


def user_exists(session: Session, owner: str) -> bool:
    """Return whether there is a user of this name. Each one has a tier."""
    return _find_owner_tier(session, owner) is not None


def owner_tier(session: Session, owner: str) -> TierRow:
    """Return the tier of a user. Raise NoResultFound if there is no such user."""
    tier = _find_owner_tier(session, owner)
    if tier is None:
        raise NoResultFound(f"no user {owner!r}")
    return tier


_TIER_OF_USER = select(TierRow).join(UserRow).where(UserRow.name == bindparam("user"))


def _find_owner_tier(session: Session, owner: str) -> TierRow | None:
    # Several checks of one request need the tier: it is read once in a transaction.
    cache: dict[str, TierRow | None] = session.info.setdefault("tiers", {})
    if owner not in cache:
        cache[owner] = session.scalars(_TIER_OF_USER, {"user": owner}).one_or_none()
    return cache[owner]
