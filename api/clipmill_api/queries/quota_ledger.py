"""SQL of the quota ledger: every change is one conditional UPDATE, right under races."""

from __future__ import annotations

from typing import Any

from sqlalchemy import case, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from clipmill_api.tables import RenderUsage, RenderWindow, Reservation, Tier, User


def changed(result: Any) -> bool:
    """Whether an UPDATE found its row. (`rowcount` is typed on CursorResult only.)"""
    return int(result.rowcount) > 0


def window(session: Session, owner: str, month: str) -> tuple[int, int]:
    """(used, reserved) render seconds of a month."""
    row = session.execute(
        select(RenderWindow.used_s, RenderWindow.reserved_s).where(
            RenderWindow.owner == owner, RenderWindow.month == month
        )
    ).one_or_none()
    return (row.used_s, row.reserved_s) if row else (0, 0)


def _ensure_window(session: Session, owner: str, month: str) -> None:
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    row = {"owner": owner, "month": month, "used_s": 0, "reserved_s": 0}
    session.execute(insert(RenderWindow).values(**row).on_conflict_do_nothing())


def hold(session: Session, owner: str, month: str, *, seconds: int, limit: int | None) -> bool:
    """Reserve (or, below 0, give back) seconds, unless the month's limit would be passed."""
    where = [RenderWindow.owner == owner, RenderWindow.month == month]
    if limit is not None and seconds > 0:
        where.append(RenderWindow.used_s + RenderWindow.reserved_s + seconds <= limit)
    more = {"reserved_s": RenderWindow.reserved_s + seconds}
    held = update(RenderWindow).where(*where).values(**more)
    if changed(session.execute(held)):
        return True
    # Refused, or the first of its month.
    _ensure_window(session, owner, month)
    return changed(session.execute(held))


def reservation(session: Session, compilation_id: str, generation: int) -> Reservation | None:
    """The reservation of a generation."""
    return session.get(Reservation, (compilation_id, generation))


def add_reservation(session: Session, row: Reservation) -> None:
    """Keep a reservation."""
    session.add(row)


def close(session: Session, row: Reservation, *, state: str, used_s: int) -> bool:
    """Settle or release an open reservation, once: False when it was closed before."""
    closed = session.execute(
        update(Reservation)
        .where(
            Reservation.compilation_id == row.compilation_id,
            Reservation.generation == row.generation,
            Reservation.state == "open",
        )
        .values(state=state)
        .returning(Reservation.seconds)
    ).scalar_one_or_none()
    if closed is None:
        return False
    session.execute(
        update(RenderWindow)
        .where(RenderWindow.owner == row.owner, RenderWindow.month == row.month)
        .values(reserved_s=RenderWindow.reserved_s - closed, used_s=RenderWindow.used_s + used_s)
    )
    return True


def add_usage(session: Session, row: RenderUsage) -> None:
    """Keep what a generation used."""
    session.add(row)


def usage_of(session: Session, compilation_id: str, generation: int) -> RenderUsage | None:
    """The usage row of a generation."""
    return session.get(RenderUsage, (compilation_id, generation))


def usage(session: Session, owner: str, limit: int = 500) -> list[RenderUsage]:
    """Usage rows of an owner, newest first."""
    newest = RenderUsage.created_at.desc()
    rows = select(RenderUsage).where(RenderUsage.owner == owner).order_by(newest).limit(limit)
    return list(session.scalars(rows))


def take_storage(session: Session, owner: str, size_bytes: int) -> bool:
    """Count bytes against the owner's storage, unless the tier's limit would be passed."""
    limit = select(Tier.storage_limit_bytes).where(Tier.name == User.tier).scalar_subquery()
    fits = (limit.is_(None)) | (User.storage_used_bytes + size_bytes <= limit)
    more = {"storage_used_bytes": User.storage_used_bytes + size_bytes}
    return changed(session.execute(update(User).where(User.name == owner, fits).values(**more)))


def give_storage(session: Session, owner: str, size_bytes: int) -> None:
    """Give bytes back."""
    less = User.storage_used_bytes - size_bytes
    floor = case((less < 0, 0), else_=less)
    session.execute(update(User).where(User.name == owner).values(storage_used_bytes=floor))


def render_seconds(session: Session, owner: str) -> int:
    """All render seconds an owner ever used."""
    total = select(func.sum(RenderUsage.seconds)).where(RenderUsage.owner == owner)
    return session.scalar(total) or 0


def hold_storage(session: Session, owner: str) -> None:
    """Hold the owner's row: two uploads of the same bytes are published one after the other."""
    session.execute(select(User.name).where(User.name == owner).with_for_update())
