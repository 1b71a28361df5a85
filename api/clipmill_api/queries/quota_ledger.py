"""SQL of the quota ledger. Each change is one conditional UPDATE, correct under races."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, case, func, insert, select, update
from sqlalchemy.orm import Session

from clipmill_api.queries.statements import execute_built, row_count, upsert
from clipmill_api.tables import (
    RenderUsageRow,
    RenderWindowRow,
    ReservationRow,
    RevisionRow,
    TierRow,
    UserRow,
)


def render_window(session: Session, owner: str, month: str) -> tuple[int, int]:
    """Return the (used, reserved) render seconds of a month."""
    row = session.execute(
        select(RenderWindowRow.used_s, RenderWindowRow.reserved_s).where(
            RenderWindowRow.owner == owner, RenderWindowRow.month == month
        )
    ).one_or_none()
    return (row.used_s, row.reserved_s) if row else (0, 0)


_RESERVE = (
    update(RenderWindowRow)
    .where(
        RenderWindowRow.owner == bindparam("of_owner"),
        RenderWindowRow.month == bindparam("of_month"),
    )
    .values(reserved_s=RenderWindowRow.reserved_s + bindparam("more_s"))
)
_RESERVE_WITHIN = _RESERVE.where(
    RenderWindowRow.used_s + RenderWindowRow.reserved_s + bindparam("more_s")
    <= bindparam("limit_s")
)


def reserve_render_time(
    session: Session, owner: str, month: str, *, seconds: int, limit: int | None
) -> bool:
    """Reserve render seconds, or release some if `seconds` is negative.

    Returns:
        False if used and reserved seconds together would exceed the limit.
    """
    values = {"of_owner": owner, "of_month": month, "more_s": seconds}
    reserve = _RESERVE
    if limit is not None and seconds > 0:
        reserve, values = _RESERVE_WITHIN, {**values, "limit_s": limit}
    if execute_built(session, reserve, values).rowcount:
        return True
    # The limit does not allow it, or it is the first reservation of this month.
    empty = {"owner": owner, "month": month, "used_s": 0, "reserved_s": 0}
    first = upsert(session, RenderWindowRow).values(**empty).on_conflict_do_nothing()
    session.execute(first)
    return execute_built(session, reserve, values).rowcount > 0


def find_reservation(
    session: Session, compilation_id: str, generation: int
) -> ReservationRow | None:
    """Return the reservation of a revision."""
    return session.get(ReservationRow, (compilation_id, generation))


_RESERVATION = insert(ReservationRow)


def add_reservation(session: Session, reservation: Mapping[str, Any]) -> None:
    """Insert a reservation by its columns."""
    execute_built(session, _RESERVATION, reservation)


def close_reservation(
    session: Session, reservation: ReservationRow, *, state: str, used_s: int
) -> bool:
    """Settle or release an open reservation.

    Returns:
        False if it was closed before.
    """
    reserved_s = session.execute(
        update(ReservationRow)
        .where(
            ReservationRow.compilation_id == reservation.compilation_id,
            ReservationRow.generation == reservation.generation,
            ReservationRow.state == "open",
        )
        .values(state=state)
        .returning(ReservationRow.seconds)
    ).scalar_one_or_none()
    if reserved_s is None:
        return False
    session.execute(
        update(RenderWindowRow)
        .where(
            RenderWindowRow.owner == reservation.owner, RenderWindowRow.month == reservation.month
        )
        .values(
            reserved_s=RenderWindowRow.reserved_s - reserved_s,
            used_s=RenderWindowRow.used_s + used_s,
        )
    )
    return True


def add_usage(session: Session, usage: RenderUsageRow) -> None:
    """Insert the usage of a revision."""
    session.add(usage)


def existing_usage(session: Session, ids: Sequence[str]) -> set[str]:
    """Return which of these ids have usage of whatever generation."""
    query = select(RenderUsageRow.compilation_id).where(RenderUsageRow.compilation_id.in_(ids))
    return set(session.scalars(query))


def add_used_seconds(session: Session, owner: str, month: str, seconds: int) -> None:
    """Add render seconds to the used ones of a month."""
    insert = upsert(session, RenderWindowRow).values(
        owner=owner, month=month, used_s=seconds, reserved_s=0
    )
    raised = {"used_s": RenderWindowRow.used_s + seconds}
    session.execute(insert.on_conflict_do_update(index_elements=["owner", "month"], set_=raised))


def find_usage(session: Session, compilation_id: str, generation: int) -> RenderUsageRow | None:
    """Return the usage of a revision."""
    return session.get(RenderUsageRow, (compilation_id, generation))


def list_usage(session: Session, owner: str, limit: int = 500) -> list[RenderUsageRow]:
    """Return the usage of an owner, newest first."""
    query = select(RenderUsageRow).where(RenderUsageRow.owner == owner)
    return list(session.scalars(query.order_by(RenderUsageRow.created_at.desc()).limit(limit)))


def usage_since(session: Session, owners: Collection[str], since: datetime) -> dict[str, int]:
    """Return the used render seconds of owners since a time; those without any are absent."""
    is_revision = and_(
        RenderUsageRow.compilation_id == RevisionRow.compilation_id,
        RenderUsageRow.generation == RevisionRow.generation,
    )
    query = (
        select(RenderUsageRow.owner, func.sum(RenderUsageRow.seconds))
        .join(RevisionRow, is_revision)
        # There is an index of the ends of revisions.
        .where(RevisionRow.completed_at >= since, RenderUsageRow.owner.in_(owners))
    )
    rows = session.execute(query.group_by(RenderUsageRow.owner))
    return {owner: int(seconds) for owner, seconds in rows}


def reserve_storage(session: Session, owner: str, size_bytes: int) -> bool:
    """Count bytes against an owner's storage. Return False if the tier's limit is too low."""
    limit = select(TierRow.storage_limit_bytes).where(TierRow.name == UserRow.tier)
    limit_bytes = limit.scalar_subquery()
    used_bytes = UserRow.storage_used_bytes + size_bytes
    fits = limit_bytes.is_(None) | (used_bytes <= limit_bytes)
    reserve = update(UserRow).where(UserRow.name == owner, fits)
    return row_count(session.execute(reserve.values(storage_used_bytes=used_bytes))) > 0


def release_storage(session: Session, owner: str, size_bytes: int) -> None:
    """Subtract bytes from an owner's storage, down to 0 at most."""
    left = UserRow.storage_used_bytes - size_bytes
    values = {"storage_used_bytes": case((left < 0, 0), else_=left)}
    session.execute(update(UserRow).where(UserRow.name == owner).values(**values))


def lock_owner(session: Session, owner: str) -> None:
    """Lock the owner's row until the transaction ends: uploads of one owner finish in turn."""
    session.execute(select(UserRow.name).where(UserRow.name == owner).with_for_update())


_STORAGE = (
    select(TierRow.storage_limit_bytes, UserRow.storage_used_bytes)
    .join(UserRow)
    .where(UserRow.name == bindparam("user"))
)


def storage_of(session: Session, owner: str) -> tuple[int | None, int]:
    """Return an owner's storage limit in bytes, None for no limit, and the bytes in use.

    Raises:
        NoResultFound: There is no such user.
    """
    row = execute_built(session, _STORAGE, {"user": owner}).one()
    return row.storage_limit_bytes, row.storage_used_bytes
