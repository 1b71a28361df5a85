"""SQL of shows: identity, lists, and what is due."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from clipmill_api.tables import EpisodeReportRow, EpisodeRow, KeyRow, ShowRow, UsedClipRow


def add_show(session: Session, show: ShowRow) -> None:
    """Insert a show. Raise IntegrityError if its identity exists."""
    session.add(show)
    session.flush()


def lock_show(session: Session, show_id: str) -> ShowRow | None:
    """Return a show, locked until the transaction ends."""
    query = select(ShowRow).where(ShowRow.id == show_id).with_for_update()
    # What this session read before it had the lock may be out of date.
    return session.scalars(query.execution_options(populate_existing=True)).one_or_none()


def lock_identity(session: Session, identity: str) -> ShowRow | None:
    """Return a show by the uid of its resource or `owner/name`, locked."""
    query = select(ShowRow).where(ShowRow.identity == identity).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).one_or_none()


def find_show(session: Session, owner: str, show_id: str) -> ShowRow | None:
    """Return a show of this owner."""
    query = select(ShowRow).where(ShowRow.id == show_id, ShowRow.owner == owner)
    return session.scalars(query).one_or_none()


def list_named(session: Session, namespace: str, name: str) -> list[ShowRow]:
    """Return shows of a name, which are several if a resource was created again."""
    query = select(ShowRow).where(ShowRow.namespace == namespace, ShowRow.name == name)
    return list(session.scalars(query))


def list_shows(session: Session, owner: str) -> list[ShowRow]:
    """Return the shows of an owner, by name."""
    query = select(ShowRow).where(ShowRow.owner == owner)
    return list(session.scalars(query.order_by(ShowRow.name, ShowRow.id)))


def due_ids(session: Session, now: datetime, limit: int) -> list[str]:
    """Return the shows to evaluate now, those that wait for longest first."""
    query = select(ShowRow.id).where(ShowRow.evaluate_at <= now)
    return list(session.scalars(query.order_by(ShowRow.evaluate_at).limit(limit)))


def list_changed(session: Session, since: datetime) -> list[ShowRow]:
    """Return the shows that changed after a time."""
    query = select(ShowRow).where(ShowRow.changed_at > since)
    return list(session.scalars(query.order_by(ShowRow.changed_at)))


def postpone(session: Session, show_id: str, until: datetime) -> None:
    """Evaluate a show later, whatever its schedule says."""
    show = update(ShowRow).where(ShowRow.id == show_id)
    session.execute(show.values(evaluate_at=until))


def delete_show(session: Session, show_id: str) -> None:
    """Delete a show with its episodes, their reports and keys, and its used clips."""
    delete_episodes(session, select(EpisodeRow.id).where(EpisodeRow.show_id == show_id))
    for table, column in ((UsedClipRow, UsedClipRow.show_id), (ShowRow, ShowRow.id)):
        statement = delete(table).where(column == show_id)
        session.execute(statement.execution_options(synchronize_session=False))


def delete_episodes(session: Session, ids: object) -> None:
    """Delete episodes with their reports and keys. Clips that they played stay used.

    Args:
        session: The transaction.
        ids: Ids, or a query of them.
    """
    columns = (EpisodeReportRow.episode_id, KeyRow.episode_id, EpisodeRow.id)
    for column in columns:
        statement = delete(column.class_).where(column.in_(ids))  # type: ignore[arg-type]
        session.execute(statement.execution_options(synchronize_session=False))


def used_keys(session: Session, show_id: str) -> frozenset[str]:
    """Return the keys of the clips that episodes of a show play or have played."""
    query = select(UsedClipRow.clip_key).where(UsedClipRow.show_id == show_id)
    return frozenset(session.scalars(query))


def set_used_keys(session: Session, episode: EpisodeRow, keys: Collection[str]) -> None:
    """Replace the keys of the clips that an episode plays; none releases them."""
    session.execute(delete(UsedClipRow).where(UsedClipRow.episode_id == episode.id))
    session.add_all(
        UsedClipRow(show_id=episode.show_id, clip_key=key, episode_id=episode.id)
        for key in sorted(set(keys))
    )
    session.flush()
