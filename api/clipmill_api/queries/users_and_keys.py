"""SQL of users, tiers and keys."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import and_, select, update
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from clipmill.protocol.tier_limits import TIERS
from clipmill_api.tables import KeyRow, RevisionRow, TierRow, UserRow

SEEDED_KEY = "s-default-owner"


def seed_tiers(session: Session) -> None:
    """The three tiers, where they are missing; what an administrator changed stays."""
    known = set(session.scalars(select(TierRow.name)))
    for tier in TIERS:
        if tier.name not in known:
            session.add(TierRow(**tier._asdict()))


def seed_owner(session: Session, name: str, secret_sha256: str, *, tier: str, at: datetime) -> None:
    """A user with one key that this id names; another secret takes the place of the last."""
    if session.get(UserRow, name) is None:
        session.add(UserRow(name=name, tier=tier, storage_used_bytes=0, created_at=at))
        session.flush()
    row = session.get(KeyRow, SEEDED_KEY)
    if row is None:
        row = KeyRow(id=SEEDED_KEY, role="user", secret_sha256=secret_sha256)
        session.add(row)
    row.owner, row.secret_sha256 = name, secret_sha256


class StoredKey(NamedTuple):
    """A key, and the state of its generation if it is a job's."""

    role: str
    owner: str | None
    compilation_id: str | None
    generation: int | None
    stage: str | None
    expires_at: datetime | None
    revoked_at: datetime | None
    state: str | None


def key(session: Session, secret_sha256: str) -> StoredKey | None:
    """A key by its hash."""
    of_its_generation = and_(
        RevisionRow.compilation_id == KeyRow.compilation_id,
        RevisionRow.generation == KeyRow.generation,
    )
    row = session.execute(
        select(
            KeyRow.role,
            KeyRow.owner,
            KeyRow.compilation_id,
            KeyRow.generation,
            KeyRow.stage,
            KeyRow.expires_at,
            KeyRow.revoked_at,
            RevisionRow.state,
        )
        .outerjoin(RevisionRow, of_its_generation)
        .where(KeyRow.secret_sha256 == secret_sha256)
    ).one_or_none()
    return StoredKey(*row) if row else None


def add_key(session: Session, row: KeyRow) -> None:
    """Keep a key."""
    session.add(row)


def add(session: Session, row: UserRow | TierRow) -> None:
    """Keep a user or a tier."""
    session.add(row)


def revoke_stage_keys(
    session: Session, compilation_id: str, *, generation: int, stage: str, at: datetime
) -> None:
    """End the earlier keys of one stage: a new one has been minted."""
    session.execute(
        update(KeyRow)
        .where(KeyRow.compilation_id == compilation_id, KeyRow.generation == generation)
        .where(KeyRow.stage == stage, KeyRow.revoked_at.is_(None))
        .values(revoked_at=at)
    )


def user(session: Session, name: str) -> UserRow | None:
    """A user by name."""
    return session.get(UserRow, name)


def users(session: Session) -> list[UserRow]:
    """All users by name."""
    return list(session.scalars(select(UserRow).order_by(UserRow.name)))


def tier(session: Session, name: str) -> TierRow | None:
    """A tier by name."""
    return session.get(TierRow, name)


def exists(session: Session, owner: str) -> bool:
    """Whether there is such a user: every one has a tier."""
    return _tier_of(session, owner) is not None


def tier_of(session: Session, owner: str) -> TierRow:
    """The tier of a user who exists."""
    found = _tier_of(session, owner)
    if found is None:
        raise NoResultFound(f"no user {owner!r}")
    return found


def _tier_of(session: Session, owner: str) -> TierRow | None:
    """Read once in a transaction."""
    read: dict[str, TierRow | None] = session.info.setdefault("tiers", {})
    if owner not in read:
        found = select(TierRow).join(UserRow).where(UserRow.name == owner)
        read[owner] = session.scalars(found).one_or_none()
    return read[owner]


def tiers(session: Session) -> list[TierRow]:
    """All tiers by name."""
    return list(session.scalars(select(TierRow).order_by(TierRow.name)))
