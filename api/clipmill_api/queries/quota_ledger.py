"""SQL of the quota ledger: every change is one conditional UPDATE, right under races."""

from __future__ import annotations

from typing import Any

from sqlalchemy import case, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from clipmill_api.tables import RenderUsageRow, RenderWindowRow, ReservationRow, TierRow, UserRow


def changed(result: Any) -> bool:
    """Whether an UPDATE found its row. (`rowcount` is typed on CursorResult only.)"""
    return int(result.rowcount) > 0


def window(session: Session, owner: str, month: str) -> tuple[int, int]:
    """(used, reserved) render seconds of a month."""
    row = session.execute(
        select(RenderWindowRow.used_s, RenderWindowRow.reserved_s).where(
            RenderWindowRow.owner == owner, RenderWindowRow.month == month
        )
    ).one_or_none()
    return (row.used_s, row.reserved_s) if row else (0, 0)


def _ensure_window(session: Session, owner: str, month: str) -> None:
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    row = {"owner": owner, "month": month, "used_s": 0, "reserved_s": 0}
    session.execute(insert(RenderWindowRow).values(**row).on_conflict_do_nothing())


def hold(session: Session, owner: str, month: str, *, seconds: int, limit: int | None) -> bool:
    """Reserve (or, below 0, give back) seconds, unless the month's limit would be passed."""
    where = [RenderWindowRow.owner == owner, RenderWindowRow.month == month]
    if limit is not None and seconds > 0:
        where.append(RenderWindowRow.used_s + RenderWindowRow.reserved_s + seconds <= limit)
    more = {"reserved_s": RenderWindowRow.reserved_s + seconds}
    held = update(RenderWindowRow).where(*where).values(**more)
    if changed(session.execute(held)):
        return True
    # Refused, or the first of its month.
    _ensure_window(session, owner, month)
    return changed(session.execute(held))


def reservation(session: Session, compilation_id: str, generation: int) -> ReservationRow | None:
    """The reservation of a generation."""
    return session.get(ReservationRow, (compilation_id, generation))


def add_reservation(session: Session, row: ReservationRow) -> None:
    """Keep a reservation."""
    session.add(row)


def close(session: Session, row: ReservationRow, *, state: str, used_s: int) -> bool:
    """Settle or release an open reservation, once: False when it was closed before."""
    closed = session.execute(
        update(ReservationRow)
        .where(
            ReservationRow.compilation_id == row.compilation_id,
            ReservationRow.generation == row.generation,
            ReservationRow.state == "open",
        )
        .values(state=state)
        .returning(ReservationRow.seconds)
    ).scalar_one_or_none()
    if closed is None:
        return False
    session.execute(
        update(RenderWindowRow)
        .where(RenderWindowRow.owner == row.owner, RenderWindowRow.month == row.month)
        .values(
            reserved_s=RenderWindowRow.reserved_s - closed, used_s=RenderWindowRow.used_s + used_s
        )
    )
    return True


def add_usage(session: Session, row: RenderUsageRow) -> None:
    """Keep what a generation used."""
    session.add(row)


def usage_of(session: Session, compilation_id: str, generation: int) -> RenderUsageRow | None:
    """The usage row of a generation."""
    return session.get(RenderUsageRow, (compilation_id, generation))


def usage(session: Session, owner: str, limit: int = 500) -> list[RenderUsageRow]:
    """Usage rows of an owner, newest first."""
    newest = RenderUsageRow.created_at.desc()
    rows = select(RenderUsageRow).where(RenderUsageRow.owner == owner).order_by(newest).limit(limit)
    return list(session.scalars(rows))


def take_storage(session: Session, owner: str, size_bytes: int) -> bool:
    """Count bytes against the owner's storage, unless the tier's limit would be passed."""
    limit = (
        select(TierRow.storage_limit_bytes).where(TierRow.name == UserRow.tier).scalar_subquery()
    )
    fits = (limit.is_(None)) | (UserRow.storage_used_bytes + size_bytes <= limit)
    more = {"storage_used_bytes": UserRow.storage_used_bytes + size_bytes}
    return changed(
        session.execute(update(UserRow).where(UserRow.name == owner, fits).values(**more))
    )


def give_storage(session: Session, owner: str, size_bytes: int) -> None:
    """Give bytes back."""
    less = UserRow.storage_used_bytes - size_bytes
    floor = case((less < 0, 0), else_=less)
    session.execute(update(UserRow).where(UserRow.name == owner).values(storage_used_bytes=floor))


def render_seconds(session: Session, owner: str) -> int:
    """All render seconds an owner ever used."""
    total = select(func.sum(RenderUsageRow.seconds)).where(RenderUsageRow.owner == owner)
    return session.scalar(total) or 0


def hold_storage(session: Session, owner: str) -> None:
    """Hold the owner's row: two uploads of the same bytes are published one after the other."""
    session.execute(select(UserRow.name).where(UserRow.name == owner).with_for_update())
