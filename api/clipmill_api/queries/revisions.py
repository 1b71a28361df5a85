"""SQL of revisions and of the log lines that pods send. A terminal revision never changes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, exists, func, insert, literal, select, tuple_, update
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from clipmill.protocol import CompilationState, Stage
from clipmill_api.queries.statements import execute_built, row_count
from clipmill_api.tables import (
    REVISION_IS_ACTIVE,
    LogLineRow,
    RenderUsageRow,
    ReservationRow,
    RevisionRow,
    TaskRow,
)
from clipmill_api.timestamps import UtcDateTime


def _is(compilation_id: str, generation: int) -> list[ColumnElement[bool]]:
    return [RevisionRow.compilation_id == compilation_id, RevisionRow.generation == generation]


_REVISION = (
    select(RevisionRow)
    .where(
        RevisionRow.compilation_id == bindparam("compilation"),
        RevisionRow.generation == bindparam("of_generation"),
    )
    .execution_options(populate_existing=True)
)


def get_revision(session: Session, compilation_id: str, generation: int) -> RevisionRow:
    """Return an existing revision as it is now in the database."""
    values = {"compilation": compilation_id, "of_generation": generation}
    return session.scalars(_REVISION, values).one()


def find_revision(session: Session, compilation_id: str, generation: int) -> RevisionRow | None:
    """Return a revision, if there is one of this generation."""
    return session.scalars(
        select(RevisionRow).where(*_is(compilation_id, generation))
    ).one_or_none()


def add_revision(session: Session, revision: RevisionRow) -> None:
    """Insert a revision."""
    session.add(revision)
    session.flush()


def update_active(session: Session, compilation_id: str, generation: int, **values: Any) -> bool:
    """Change a revision. Return False if it is terminal."""
    revision = update(RevisionRow).where(*_is(compilation_id, generation), REVISION_IS_ACTIVE)
    return row_count(session.execute(revision.values(**values))) > 0


def rendering_columns(*, segments_reused: int) -> dict[str, Any]:
    """Return the columns of a revision whose rendering starts, without the time."""
    return {
        "state": CompilationState.RENDERING.value,
        "stage": Stage.ASSEMBLE.value,
        "segments_reused": segments_reused,
    }


def start_rendering(
    session: Session, compilation_id: str, generation: int, *, at: datetime, segments_reused: int
) -> None:
    """Set the state to Rendering. `rendering_at` keeps its first value."""
    update_active(
        session,
        compilation_id,
        generation,
        **rendering_columns(segments_reused=segments_reused),
        rendering_at=func.coalesce(RevisionRow.rendering_at, literal(at, UtcDateTime())),
    )


_RAISED = (
    update(RevisionRow)
    .where(
        RevisionRow.compilation_id == bindparam("of_compilation"),
        RevisionRow.generation == bindparam("of_generation"),
        RevisionRow.state == CompilationState.RENDERING.value,
        RevisionRow.percent < bindparam("reached"),
    )
    .values(percent=bindparam("reached"), reached_at=bindparam("at"))
)


def raise_percent(
    connection: Connection, compilation_id: str, generation: int, *, percent: int, at: datetime
) -> None:
    """Set the progress of a revision that is rendered, unless it is higher already."""
    revision = {"of_compilation": compilation_id, "of_generation": generation}
    execute_built(connection, _RAISED, {**revision, "reached": percent, "at": at})


def list_outputs(session: Session, compilation_id: str) -> list[Any]:
    """Return the outputs of all succeeded revisions of a compilation, as stored JSON."""
    query = select(RevisionRow.outputs).where(
        RevisionRow.compilation_id == compilation_id, RevisionRow.state == "Succeeded"
    )
    return [output for outputs in session.scalars(query) for output in outputs]


class RunFacts(NamedTuple):
    """Whether a job of a revision's stage began, its render time in seconds, its newest line."""

    has_begun: bool
    reserved_s: int
    used_s: int
    last_line: str | None


def run_facts(
    session: Session, revisions: Collection[tuple[str, int]]
) -> dict[tuple[str, int], RunFacts]:
    """Return the facts of several revisions, by (compilation id, generation)."""
    if not revisions:
        return {}
    is_fetching = RevisionRow.stage == Stage.FETCH.value
    has_begun = exists().where(
        *_of_revision(TaskRow), (TaskRow.stage == Stage.FETCH.value) == is_fetching
    )
    reserved = select(ReservationRow.seconds).where(
        *_of_revision(ReservationRow), ReservationRow.state == "open"
    )
    used = select(RenderUsageRow.seconds).where(*_of_revision(RenderUsageRow))
    key = (RevisionRow.compilation_id, RevisionRow.generation)
    line = select(LogLineRow.line).where(*_of_revision(LogLineRow)).order_by(LogLineRow.id.desc())
    facts = (has_begun, *(facts.limit(1).scalar_subquery() for facts in (reserved, used, line)))
    query = select(*key, *facts)
    rows = session.execute(query.where(tuple_(*key).in_(list(revisions))))
    return {
        (row[0], row[1]): RunFacts(bool(row[2]), row[3] or 0, row[4] or 0, row[5]) for row in rows
    }


def _of_revision(
    table: type[TaskRow] | type[ReservationRow] | type[RenderUsageRow] | type[LogLineRow],
) -> list[ColumnElement[bool]]:
    return [
        table.compilation_id == RevisionRow.compilation_id,
        table.generation == RevisionRow.generation,
    ]


# The ids of the rows are not needed.
_LOG_LINE = insert(LogLineRow).inline()


def append_log_lines(
    connection: Connection,
    compilation_id: str,
    generation: int,
    *,
    at: datetime,
    lines: Sequence[str],
) -> None:
    """Append log lines to a revision."""
    if lines:
        row = {"compilation_id": compilation_id, "generation": generation, "at": at}
        execute_built(connection, _LOG_LINE, [{**row, "line": line} for line in lines])


def tail_log_lines(
    session: Session, compilation_id: str, generation: int, limit: int = 50
) -> list[str]:
    """Return the last log lines of a revision, oldest first."""
    query = select(LogLineRow.line).where(
        LogLineRow.compilation_id == compilation_id, LogLineRow.generation == generation
    )
    newest = session.scalars(query.order_by(LogLineRow.id.desc()).limit(limit))
    return list(newest)[::-1]


_HAS_TASK = exists().where(
    TaskRow.compilation_id == RevisionRow.compilation_id,
    TaskRow.generation == RevisionRow.generation,
)


def oldest_waiting(session: Session) -> datetime | None:
    """Return when the oldest active revision without a claimed task was created."""
    oldest = select(func.min(RevisionRow.created_at))
    return session.scalar(oldest.where(REVISION_IS_ACTIVE, ~_HAS_TASK))


def oldest_progress(session: Session) -> datetime | None:
    """Return the earliest time at which an active revision with a claimed task last advanced."""
    times = (RevisionRow.reached_at, RevisionRow.rendering_at, RevisionRow.created_at)
    earliest = select(func.min(func.coalesce(*times)))
    return session.scalar(earliest.where(REVISION_IS_ACTIVE, _HAS_TASK))
