"""SQL of episodes: one for each scheduled time, and what the tick has to do about them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, not_, or_, select, tuple_, update
from sqlalchemy.orm import Session

from clipmill.protocol import TERMINAL_STATES, CompilationState
from clipmill.shows.show_messages import EpisodeState, SkipReason
from clipmill.spec import Quality
from clipmill_api.queries.compilation_records import IS_NEWEST_REVISION
from clipmill_api.queries.statements import row_count, upsert
from clipmill_api.tables import (
    CompilationRow,
    EpisodeReportRow,
    EpisodeRow,
    KeyRow,
    RevisionRow,
    ShowRow,
)

RUNNING = (EpisodeState.DISCOVERING.value, EpisodeState.CREATED.value)
OPEN = (*RUNNING, EpisodeState.AWAITING_APPROVAL.value)
_IS_DRAFT = RevisionRow.spec["quality"].as_string() == Quality.DRAFT.value


@dataclass(frozen=True, slots=True)
class EpisodeRender:
    """An episode with the newest revision of its compilation."""

    episode: EpisodeRow
    revision: RevisionRow


def add_episode(session: Session, episode: EpisodeRow) -> None:
    """Insert an episode. Raise IntegrityError if its scheduled time has one."""
    session.add(episode)
    session.flush()


def find_episode(session: Session, show_id: str, scheduled_at: datetime) -> EpisodeRow | None:
    """Return the episode of a scheduled time."""
    query = select(EpisodeRow).where(
        EpisodeRow.show_id == show_id, EpisodeRow.scheduled_at == scheduled_at
    )
    return session.scalars(query).one_or_none()


def find_own(session: Session, owner: str, episode_id: str) -> EpisodeRow | None:
    """Return an episode of this owner."""
    query = select(EpisodeRow).where(EpisodeRow.id == episode_id, EpisodeRow.owner == owner)
    return session.scalars(query).one_or_none()


def show_id_of(session: Session, episode_id: str) -> str | None:
    """Return the id of an episode's show."""
    return session.scalar(select(EpisodeRow.show_id).where(EpisodeRow.id == episode_id))


def lock_episode(session: Session, episode_id: str) -> EpisodeRow | None:
    """Return an episode, locked until the transaction ends."""
    query = select(EpisodeRow).where(EpisodeRow.id == episode_id).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).one_or_none()


def find_of_compilation(session: Session, compilation_id: str) -> EpisodeRow | None:
    """Return the episode that a compilation is of."""
    query = select(EpisodeRow).where(EpisodeRow.compilation_id == compilation_id)
    return session.scalars(query).one_or_none()


def list_running(session: Session, show_id: str) -> list[EpisodeRow]:
    """Return the episodes of a show whose discovery or rendering has not ended.

    Without previews, which render nothing.
    """
    query = (
        select(EpisodeRow)
        .outerjoin(CompilationRow, CompilationRow.id == EpisodeRow.compilation_id)
        .outerjoin(RevisionRow, IS_NEWEST_REVISION)
        .where(
            EpisodeRow.show_id == show_id,
            EpisodeRow.state.in_(RUNNING),
            EpisodeRow.reason != SkipReason.PREVIEW.value,
            or_(RevisionRow.state.is_(None), RevisionRow.state.not_in(sorted(TERMINAL_STATES))),
        )
    )
    return list(session.scalars(query.order_by(EpisodeRow.scheduled_at)))


def list_open(session: Session, show_id: str) -> list[EpisodeRow]:
    """Return the episodes of a show that have not ended, those that wait for approval too."""
    query = select(EpisodeRow).where(EpisodeRow.show_id == show_id, EpisodeRow.state.in_(OPEN))
    return list(session.scalars(query))


def list_ended(session: Session, show_id: str) -> list[EpisodeRow]:
    """Return the ended episodes of a show, newest first."""
    query = select(EpisodeRow).where(EpisodeRow.show_id == show_id, EpisodeRow.state.not_in(OPEN))
    return list(session.scalars(query.order_by(EpisodeRow.scheduled_at.desc())))


def list_episodes(
    session: Session, show_id: str, before: datetime | None, limit: int
) -> list[EpisodeRow]:
    """Return episodes of a show, newest first, from those scheduled before a time on."""
    query = select(EpisodeRow).where(EpisodeRow.show_id == show_id)
    if before is not None:
        query = query.where(EpisodeRow.scheduled_at < before)
    return list(session.scalars(query.order_by(EpisodeRow.scheduled_at.desc()).limit(limit)))


def last_episodes(session: Session, show_ids: Collection[str]) -> dict[str, EpisodeRow]:
    """Return the newest episode of each show, without previews."""
    newest = (
        select(EpisodeRow.show_id, func.max(EpisodeRow.scheduled_at))
        .where(EpisodeRow.show_id.in_(show_ids), EpisodeRow.reason != SkipReason.PREVIEW.value)
        .group_by(EpisodeRow.show_id)
    )
    query = select(EpisodeRow).where(
        tuple_(EpisodeRow.show_id, EpisodeRow.scheduled_at).in_(newest)
    )
    return {episode.show_id: episode for episode in session.scalars(query)}


def running_names(session: Session, show_ids: Collection[str]) -> list[tuple[str, str]]:
    """Return (show id, name) of the running episodes of shows, oldest first."""
    query = select(EpisodeRow.show_id, EpisodeRow.name).where(
        EpisodeRow.show_id.in_(show_ids), EpisodeRow.state.in_(RUNNING)
    )
    rows = session.execute(query.order_by(EpisodeRow.scheduled_at))
    return [(row.show_id, row.name) for row in rows]


def list_discovering(session: Session, limit: int) -> list[tuple[EpisodeRow, ShowRow]]:
    """Return episodes whose discover task has not ended, with their shows, oldest first."""
    query = (
        select(EpisodeRow, ShowRow)
        .join(ShowRow, ShowRow.id == EpisodeRow.show_id)
        .where(EpisodeRow.state == EpisodeState.DISCOVERING.value)
    )
    rows = session.execute(query.order_by(EpisodeRow.created_at).limit(limit))
    return [(episode, show) for episode, show in rows]


def shows_of_compilations(
    session: Session, ids: Collection[str]
) -> dict[str, tuple[EpisodeRow, ShowRow]]:
    """Return the episode and the show of those compilations that are of one."""
    query = (
        select(EpisodeRow, ShowRow)
        .join(ShowRow, ShowRow.id == EpisodeRow.show_id)
        .where(EpisodeRow.compilation_id.in_(ids))
    )
    return {str(row[0].compilation_id): (row[0], row[1]) for row in session.execute(query)}


def list_moved(session: Session, limit: int) -> list[str]:
    """Return episodes whose compilation has reached another state than theirs."""
    is_terminal = RevisionRow.state.in_(sorted(TERMINAL_STATES))
    is_shown = and_(RevisionRow.state == CompilationState.SUCCEEDED.value, _IS_DRAFT)
    moved = or_(
        and_(EpisodeRow.state == EpisodeState.CREATED.value, is_terminal),
        and_(EpisodeRow.state == EpisodeState.AWAITING_APPROVAL.value, not_(is_shown)),
    )
    query = (
        select(EpisodeRow.id)
        .join(CompilationRow, CompilationRow.id == EpisodeRow.compilation_id)
        .join(RevisionRow, IS_NEWEST_REVISION)
        .where(EpisodeRow.state.in_((EpisodeState.CREATED, EpisodeState.AWAITING_APPROVAL)), moved)
    )
    return list(session.scalars(query.limit(limit)))


def newest_revision(session: Session, episode: EpisodeRow) -> RevisionRow | None:
    """Return the newest revision of an episode's compilation."""
    query = (
        select(RevisionRow)
        .join(CompilationRow, IS_NEWEST_REVISION)
        .where(CompilationRow.id == episode.compilation_id)
    )
    return session.scalars(query).one_or_none()


def list_expired(session: Session, now: datetime, limit: int) -> list[str]:
    """Return drafts that nobody has approved in time."""
    query = select(EpisodeRow.id).where(
        EpisodeRow.state == EpisodeState.AWAITING_APPROVAL.value, EpisodeRow.expires_at <= now
    )
    return list(session.scalars(query.limit(limit)))


def renew_lease(session: Session, episode_id: str, *, epoch: int, until: datetime) -> bool:
    """Extend the lease of a discover task. Return False if it ended or has a newer epoch."""
    episode = update(EpisodeRow).where(
        EpisodeRow.id == episode_id,
        EpisodeRow.epoch == epoch,
        EpisodeRow.state == EpisodeState.DISCOVERING.value,
    )
    return row_count(session.execute(episode.values(lease_until=until))) > 0


def revoke_keys(session: Session, episode_id: str, at: datetime) -> None:
    """Revoke all keys of an episode's discover task."""
    keys = update(KeyRow).where(KeyRow.episode_id == episode_id, KeyRow.revoked_at.is_(None))
    session.execute(keys.values(revoked_at=at))


def put_report(
    session: Session, episode_id: str, candidates: list[object], sources: list[object]
) -> None:
    """Store what the sources of an episode offered."""
    values = {"candidates": candidates, "sources": sources}
    insert = upsert(session, EpisodeReportRow).values(episode_id=episode_id, **values)
    session.execute(insert.on_conflict_do_update(index_elements=["episode_id"], set_=values))


def find_report(session: Session, episode_id: str) -> EpisodeReportRow | None:
    """Return what the sources of an episode offered."""
    return session.get(EpisodeReportRow, episode_id)
