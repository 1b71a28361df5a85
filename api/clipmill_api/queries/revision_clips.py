"""SQL of the clips of revisions. Only a waiting clip changes its state."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import bindparam, select, tuple_, update
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from clipmill.protocol import ClipState
from clipmill_api.queries.statements import row_count
from clipmill_api.tables import ClipRow


def _of_revision(compilation_id: str, generation: int) -> list[ColumnElement[bool]]:
    return [ClipRow.compilation_id == compilation_id, ClipRow.generation == generation]


_CLIPS = (
    select(ClipRow)
    .where(
        ClipRow.compilation_id == bindparam("compilation"),
        ClipRow.generation == bindparam("of_generation"),
    )
    .order_by(ClipRow.position)
    .execution_options(populate_existing=True)
)


def list_clips(session: Session, compilation_id: str, generation: int) -> list[ClipRow]:
    """Return the clips of a revision in the order of its spec."""
    values = {"compilation": compilation_id, "of_generation": generation}
    return list(session.scalars(_CLIPS, values))


def clips_by_revision(
    session: Session, revisions: Collection[tuple[str, int]]
) -> dict[tuple[str, int], list[ClipRow]]:
    """Return the clips of several revisions, by (compilation id, generation)."""
    clips: dict[tuple[str, int], list[ClipRow]] = {revision: [] for revision in revisions}
    if not clips:
        return clips
    query = select(ClipRow).where(
        tuple_(ClipRow.compilation_id, ClipRow.generation).in_(list(clips))
    )
    for clip in session.scalars(query.order_by(ClipRow.position)):
        clips[clip.compilation_id, clip.generation].append(clip)
    return clips


def list_waiting(session: Session, clip: ClipRow) -> list[ClipRow]:
    """Return the waiting clips of a clip's revision that have its key."""
    query = select(ClipRow).where(
        *_of_revision(clip.compilation_id, clip.generation),
        ClipRow.state == ClipState.WAITING,
        ClipRow.clip_key == clip.clip_key,
    )
    query = query.order_by(ClipRow.position).execution_options(populate_existing=True)
    return list(session.scalars(query))


_CLIP = select(ClipRow).where(
    ClipRow.id == bindparam("of_id"), ClipRow.compilation_id == bindparam("compilation")
)


def find_clip(session: Session, compilation_id: str, clip_id: str) -> ClipRow | None:
    """Return a clip of this compilation."""
    return session.scalars(_CLIP, {"of_id": clip_id, "compilation": compilation_id}).one_or_none()


_CLIP_OF_TASK = (
    select(ClipRow)
    .where(
        ClipRow.compilation_id == bindparam("compilation"),
        ClipRow.generation == bindparam("of_generation"),
        ClipRow.task_index == bindparam("of_index"),
    )
    .execution_options(populate_existing=True)
)


def find_clip_of_task(
    session: Session, compilation_id: str, generation: int, task_index: int
) -> ClipRow | None:
    """Return the clip of a fetch task."""
    values = {"compilation": compilation_id, "of_generation": generation, "of_index": task_index}
    return session.scalars(_CLIP_OF_TASK, values).one_or_none()


def add_clips(session: Session, clips: Iterable[ClipRow]) -> None:
    """Insert the clips of a revision in one statement."""
    session.add_all(clips)
    session.flush()


def mark_ready(
    session: Session, clip: ClipRow, *, media_id: str, reused: bool, same_key: bool = True
) -> bool:
    """Set the media of a clip, and with `same_key` of all clips of its revision with its key.

    Returns:
        False if no such clip is waiting.
    """
    values = {"state": ClipState.READY.value, "media_id": media_id, "reused": reused}
    return _settle(session, clip, values, same_key=same_key)


def mark_skipped(session: Session, clip: ClipRow, *, reason: str, message: str) -> bool:
    """Skip a clip and all clips of its revision with its key.

    Returns:
        False if no such clip is waiting.
    """
    values = {"state": ClipState.SKIPPED.value, "reason": reason, "message": message}
    return _settle(session, clip, values, same_key=True)


def _settle(
    session: Session, clip: ClipRow, values: Mapping[str, object], *, same_key: bool
) -> bool:
    by_key = same_key and clip.clip_key is not None
    waiting = update(ClipRow).where(
        *_of_revision(clip.compilation_id, clip.generation),
        ClipRow.state == ClipState.WAITING,
        ClipRow.clip_key == clip.clip_key if by_key else ClipRow.id == clip.id,
    )
    return row_count(session.execute(waiting.values(**values))) > 0


def skip_tasks(
    session: Session,
    compilation_id: str,
    generation: int,
    task_indexes: Collection[int],
    *,
    reason: str,
    message: str,
) -> bool:
    """Skip the clips of fetch tasks, and all clips of the revision with their keys.

    Returns:
        False if no such clip is waiting.
    """
    revision = _of_revision(compilation_id, generation)
    keys = select(ClipRow.clip_key).where(*revision, ClipRow.task_index.in_(task_indexes))
    waiting = update(ClipRow).where(
        *revision, ClipRow.state == ClipState.WAITING, ClipRow.clip_key.in_(keys)
    )
    skip = waiting.values(state=ClipState.SKIPPED.value, reason=reason, message=message)
    return row_count(session.execute(skip.execution_options(synchronize_session=False))) > 0


def skip_ready(session: Session, reasons: Mapping[str, tuple[str, str]]) -> None:
    """Skip clips that were ready, by id with the reason and the message of each."""
    rows = [
        {"id": clip_id, "state": ClipState.SKIPPED.value, "reason": reason, "message": message}
        for clip_id, (reason, message) in reasons.items()
    ]
    session.execute(update(ClipRow), rows)
