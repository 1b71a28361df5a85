"""SQL of compilations, their generations and their clips. Ended generations never move."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, literal, select, tuple_, update
from sqlalchemy.orm import Session

from clipmill.protocol import ClipState, Stage, CompilationState
from clipmill_api.queries.quota_ledger import changed
from clipmill_api.tables import (
    REVISION_IS_ACTIVE,
    ClipRow,
    CompilationRow,
    IdempotencyRow,
    RevisionRow,
)
from clipmill_api.timestamps import UtcDateTime


def compilation(session: Session, owner: str, compilation_id: str) -> CompilationRow | None:
    """A compilation of this owner."""
    mine = select(CompilationRow).where(
        CompilationRow.id == compilation_id, CompilationRow.owner == owner
    )
    return session.scalars(mine).one_or_none()


def by_uid(session: Session, uid: str, *, lock: bool = False) -> CompilationRow | None:
    """A compilation by the resource's uid; locked against a second writer when asked."""
    found = select(CompilationRow).where(CompilationRow.uid == uid)
    return session.scalars(_held(found) if lock else found).one_or_none()


def submitted(session: Session, compilation_id: str) -> CompilationRow | None:
    """A compilation by its id, whoever's it is, held until the transaction ends."""
    found = select(CompilationRow).where(CompilationRow.id == compilation_id)
    return session.scalars(found.with_for_update()).one_or_none()


def outbox(session: Session, limit: int) -> list[tuple[CompilationRow, RevisionRow]]:
    """Compilations whose resource is to be made, changed or deleted, oldest first."""
    newest = (RevisionRow.compilation_id == CompilationRow.id) & (
        RevisionRow.generation == CompilationRow.generation
    )
    rows = select(CompilationRow, RevisionRow).join(RevisionRow, newest)
    rows = rows.where(CompilationRow.outbox.is_not(None)).order_by(CompilationRow.created_at)
    return [(row, revision) for row, revision in session.execute(rows.limit(limit))]


def locked(session: Session, compilation_id: str) -> CompilationRow:
    """A compilation that exists, held until the transaction ends: one change at a time."""
    return session.scalars(
        _held(select(CompilationRow).where(CompilationRow.id == compilation_id))
    ).one()


def _held(found: Select[CompilationRow]) -> Select[CompilationRow]:
    """Held, and read as it is now: what this session saw before it had the lock is old."""
    return found.with_for_update().execution_options(populate_existing=True)


def add(session: Session, *rows: CompilationRow | RevisionRow | ClipRow | IdempotencyRow) -> None:
    """Keep new rows, in this order."""
    for row in rows:
        session.add(row)
    session.flush()


def add_clips(session: Session, rows: Iterable[ClipRow]) -> None:
    """Keep the clips of a generation, in one statement."""
    session.add_all(rows)
    session.flush()


def set_generation(session: Session, compilation_id: str, generation: int) -> None:
    """The newest generation; it only rises."""
    newer = update(CompilationRow).where(
        CompilationRow.id == compilation_id, CompilationRow.generation < generation
    )
    session.execute(newer.values(generation=generation))


def revision(session: Session, compilation_id: str, generation: int) -> RevisionRow:
    """A generation that exists."""
    where = (RevisionRow.compilation_id == compilation_id, RevisionRow.generation == generation)
    found = select(RevisionRow).where(*where).execution_options(populate_existing=True)
    return session.scalars(found).one()


def move(session: Session, compilation_id: str, generation: int, **values: Any) -> bool:
    """Change a generation unless it has ended. False: it has."""
    mine = (RevisionRow.compilation_id == compilation_id, RevisionRow.generation == generation)
    live = update(RevisionRow).where(*mine, REVISION_IS_ACTIVE)
    return changed(session.execute(live.values(**values)))


def render_from(
    session: Session, compilation_id: str, generation: int, *, at: datetime, reused: int
) -> None:
    """A generation whose clips are all here renders, since `at` unless it did before."""
    stage = {"state": CompilationState.RENDERING.value, "stage": Stage.ASSEMBLE.value}
    since = func.coalesce(RevisionRow.rendering_at, literal(at, UtcDateTime()))
    move(session, compilation_id, generation, segments_reused=reused, rendering_at=since, **stage)


def raise_percent(
    session: Session, compilation_id: str, generation: int, *, percent: int, at: datetime
) -> None:
    """Progress of a generation; it only rises."""
    mine = (RevisionRow.compilation_id == compilation_id, RevisionRow.generation == generation)
    lower = update(RevisionRow).where(*mine, REVISION_IS_ACTIVE, RevisionRow.percent < percent)
    session.execute(lower.values(percent=percent, reached_at=at))


def ended_outputs(session: Session, compilation_id: str) -> list[Any]:
    """The outputs of all generations that succeeded."""
    rows = select(RevisionRow.outputs).where(
        RevisionRow.compilation_id == compilation_id, RevisionRow.state == "Succeeded"
    )
    return [output for outputs in session.scalars(rows) for output in outputs]


def page(
    session: Session, owner: str, after: tuple[datetime, str] | None, limit: int
) -> list[tuple[CompilationRow, RevisionRow]]:
    """Compilations of an owner with their newest generation, newest first."""
    newest = (RevisionRow.compilation_id == CompilationRow.id) & (
        RevisionRow.generation == CompilationRow.generation
    )
    rows = (
        select(CompilationRow, RevisionRow)
        .join(RevisionRow, newest)
        .where(CompilationRow.owner == owner)
    )
    if after:
        rows = rows.where(tuple_(CompilationRow.created_at, CompilationRow.id) < after)
    rows = rows.order_by(CompilationRow.created_at.desc(), CompilationRow.id.desc()).limit(limit)
    return [(compilation, revision) for compilation, revision in session.execute(rows)]


def active(session: Session, limit: int) -> list[tuple[CompilationRow, RevisionRow]]:
    """Generations that have not ended, oldest first: what the operator has to see to."""
    newest = (RevisionRow.compilation_id == CompilationRow.id) & (
        RevisionRow.generation == CompilationRow.generation
    )
    rows = select(CompilationRow, RevisionRow).join(RevisionRow, newest).where(REVISION_IS_ACTIVE)
    rows = rows.order_by(RevisionRow.created_at).limit(limit)
    return [(compilation, revision) for compilation, revision in session.execute(rows)]


def count_by_state(session: Session) -> dict[str, int]:
    """How many compilations are in each state."""
    newest = (RevisionRow.compilation_id == CompilationRow.id) & (
        RevisionRow.generation == CompilationRow.generation
    )
    counted = select(RevisionRow.state, func.count()).join(CompilationRow, newest)
    rows = session.execute(counted.group_by(RevisionRow.state))
    return {row[0]: row[1] for row in rows}


# --- clips ------------------------------------------------------------------------------------


def clips(session: Session, compilation_id: str, generation: int) -> list[ClipRow]:
    """The clips of a generation in the edit's order."""
    mine = (ClipRow.compilation_id == compilation_id, ClipRow.generation == generation)
    rows = select(ClipRow).where(*mine).order_by(ClipRow.position)
    return list(session.scalars(rows.execution_options(populate_existing=True)))


def clips_of(
    session: Session, generations: Collection[tuple[str, int]]
) -> dict[tuple[str, int], list[ClipRow]]:
    """The clips of several generations, in one statement."""
    found: dict[tuple[str, int], list[ClipRow]] = {key: [] for key in generations}
    if not found:
        return found
    of_these = tuple_(ClipRow.compilation_id, ClipRow.generation).in_(list(found))
    for row in session.scalars(select(ClipRow).where(of_these).order_by(ClipRow.position)):
        found[row.compilation_id, row.generation].append(row)
    return found


def clip(session: Session, compilation_id: str, clip_id: str) -> ClipRow | None:
    """A clip of this compilation."""
    mine = select(ClipRow).where(ClipRow.id == clip_id, ClipRow.compilation_id == compilation_id)
    return session.scalars(mine).one_or_none()


def clip_of_part(
    session: Session, compilation_id: str, generation: int, part: int
) -> ClipRow | None:
    """The clip that a fetch part fetches."""
    mine = (ClipRow.compilation_id == compilation_id, ClipRow.generation == generation)
    found = select(ClipRow).where(*mine, ClipRow.task_index == part)
    return session.scalars(found.execution_options(populate_existing=True)).one_or_none()


def ready(
    session: Session, row: ClipRow, *, media_id: str, reused: bool, all_of_key: bool = True
) -> bool:
    """A waiting clip has its media, and with it every clip of the generation with that key."""
    waiting = update(ClipRow).where(
        ClipRow.compilation_id == row.compilation_id,
        ClipRow.generation == row.generation,
        ClipRow.state == ClipState.WAITING,
        ClipRow.clip_key == row.clip_key if all_of_key and row.clip_key else ClipRow.id == row.id,
    )
    values = {"state": ClipState.READY.value, "media_id": media_id, "reused": reused}
    return changed(session.execute(waiting.values(**values)))


def skip(session: Session, row: ClipRow, *, reason: str, message: str) -> bool:
    """A waiting clip cannot be had, nor any of the generation with the same key."""
    waiting = update(ClipRow).where(
        ClipRow.compilation_id == row.compilation_id,
        ClipRow.generation == row.generation,
        ClipRow.state == ClipState.WAITING,
        ClipRow.clip_key == row.clip_key if row.clip_key else ClipRow.id == row.id,
    )
    values = {"state": ClipState.SKIPPED.value, "reason": reason, "message": message}
    return changed(session.execute(waiting.values(**values)))


def skip_parts(
    session: Session, where: tuple[str, int], numbers: Collection[int], *, reason: str, message: str
) -> bool:
    """The waiting clips of some fetch tasks cannot be had, in one statement however many."""
    compilation_id, generation = where
    mine = (ClipRow.compilation_id == compilation_id, ClipRow.generation == generation)
    keys = select(ClipRow.clip_key).where(*mine, ClipRow.task_index.in_(numbers))
    waiting = update(ClipRow).where(
        *mine, ClipRow.state == ClipState.WAITING, ClipRow.clip_key.in_(keys)
    )
    values = {"state": ClipState.SKIPPED.value, "reason": reason, "message": message}
    skipped = waiting.values(**values).execution_options(synchronize_session=False)
    return changed(session.execute(skipped))


def unplay(session: Session, messages: Mapping[str, str], *, reason: str) -> None:
    """Clips, by id, that were fetched but have nothing to play (a trim beyond their end)."""
    skipped = {"state": ClipState.SKIPPED.value, "reason": reason}
    rows = [{"id": clip_id, "message": text, **skipped} for clip_id, text in messages.items()]
    session.execute(update(ClipRow), rows)


def idempotent(session: Session, principal: str, key: str) -> IdempotencyRow | None:
    """What a caller's Idempotency-Key made before."""
    return session.get(IdempotencyRow, (principal, key))
