"""SQL of compilations: identity, outbox, lists, and idempotency keys."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Select, and_, bindparam, func, or_, select, tuple_, update
from sqlalchemy.orm import Session, load_only

from clipmill.protocol import CompilationFilter
from clipmill.spec import Quality
from clipmill_api.queries.tombstones import RemovalReason
from clipmill_api.tables import (
    REVISION_IS_ACTIVE,
    CompilationRow,
    IdempotencyRow,
    ResultDeliveryRow,
    RevisionRow,
    TierRow,
    UserRow,
)

IS_NEWEST_REVISION = and_(
    RevisionRow.compilation_id == CompilationRow.id,
    RevisionRow.generation == CompilationRow.generation,
)


# A deleted compilation is a record of the API, and nothing of its owner's any more.
_IS_SHOWN = CompilationRow.removal_reason.is_distinct_from(RemovalReason.COMPILATION_DELETED.value)
_OWN = select(CompilationRow).where(
    CompilationRow.id == bindparam("of_id"),
    CompilationRow.owner == bindparam("of_owner"),
    _IS_SHOWN,
)


def find_compilation(session: Session, owner: str, compilation_id: str) -> CompilationRow | None:
    """Return a compilation of this owner that is not deleted."""
    return session.scalars(_OWN, {"of_id": compilation_id, "of_owner": owner}).one_or_none()


_OWN_REVISION = (
    select(CompilationRow, RevisionRow, TierRow)
    .join(RevisionRow, RevisionRow.compilation_id == CompilationRow.id)
    .join(UserRow, UserRow.name == CompilationRow.owner)
    .join(TierRow, TierRow.name == UserRow.tier)
    .where(
        CompilationRow.id == bindparam("of_id"),
        CompilationRow.owner == bindparam("of_owner"),
        RevisionRow.generation == bindparam("of_generation"),
        _IS_SHOWN,
    )
    # Other columns are read when they are used; the spec is usually remembered.
    .options(
        load_only(CompilationRow.owner, CompilationRow.name),
        load_only(RevisionRow.output_policy, RevisionRow.created_at),
    )
)


class OwnRevision(NamedTuple):
    """A compilation, one of its revisions, and the tier of the owner."""

    compilation: CompilationRow
    revision: RevisionRow
    tier: TierRow


def find_with_revision(
    session: Session, owner: str, compilation_id: str, generation: int
) -> OwnRevision | None:
    """Return a compilation of this owner that is not deleted, and one of its revisions."""
    values = {"of_id": compilation_id, "of_owner": owner, "of_generation": generation}
    row = session.execute(_OWN_REVISION, values).one_or_none()
    return OwnRevision._make(row) if row else None


def find_by_uid(session: Session, uid: str, *, lock: bool = False) -> CompilationRow | None:
    """Return a compilation by its resource's uid, locked until the transaction ends if asked."""
    query = _OF_UID_TO_LOCK if lock else _OF_UID
    return session.scalars(query, {"of_uid": uid}).one_or_none()


def find_and_lock(session: Session, compilation_id: str) -> CompilationRow | None:
    """Return a compilation of any owner, locked until the transaction ends."""
    query = select(CompilationRow).where(CompilationRow.id == compilation_id)
    return session.scalars(query.with_for_update()).one_or_none()


def _locked(query: Select[CompilationRow]) -> Select[CompilationRow]:
    # What this session read before it had the lock may be out of date.
    return query.with_for_update().execution_options(populate_existing=True)


_OF_UID = select(CompilationRow).where(CompilationRow.uid == bindparam("of_uid"))
_OF_UID_TO_LOCK = _locked(_OF_UID)
_TO_LOCK = _locked(select(CompilationRow).where(CompilationRow.id == bindparam("of_id")))


def lock_compilation(session: Session, compilation_id: str) -> CompilationRow:
    """Return an existing compilation, locked until the transaction ends."""
    return session.scalars(_TO_LOCK, {"of_id": compilation_id}).one()


def add_compilation(session: Session, compilation: CompilationRow) -> None:
    """Insert a compilation. Raise IntegrityError if its uid exists."""
    session.add(compilation)
    session.flush()


def raise_generation(session: Session, compilation_id: str, generation: int) -> None:
    """Set the newest generation, unless it is newer already."""
    compilation = update(CompilationRow).where(
        CompilationRow.id == compilation_id, CompilationRow.generation < generation
    )
    session.execute(compilation.values(generation=generation))


def list_outbox(
    session: Session, limit: int, action: str | None = None
) -> list[tuple[CompilationRow, RevisionRow]]:
    """Return compilations whose resource the operator must apply or delete, oldest first."""
    outbox = CompilationRow.outbox
    is_listed = outbox.is_not(None) if action is None else outbox == action
    query = _with_newest_revision().where(is_listed)
    return _pairs(session, query.order_by(CompilationRow.created_at).limit(limit))


def list_compilations(
    session: Session,
    owner: str,
    filters: CompilationFilter,
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[tuple[CompilationRow, RevisionRow]]:
    """Return compilations of an owner that match, newest first, from the cursor `after` on."""
    query = _with_newest_revision().where(CompilationRow.owner == owner, _IS_SHOWN)
    if filters.state:
        query = query.where(RevisionRow.state.in_(state.value for state in filters.state))
    if filters.name:
        query = query.where(CompilationRow.name == filters.name)
    if filters.since:
        query = query.where(CompilationRow.created_at >= filters.since)
    if after:
        query = query.where(tuple_(CompilationRow.created_at, CompilationRow.id) < after)
    newest_first = (CompilationRow.created_at.desc(), CompilationRow.id.desc())
    return _pairs(session, query.order_by(*newest_first).limit(limit))


def list_active(session: Session, limit: int) -> list[tuple[CompilationRow, RevisionRow]]:
    """Return compilations whose newest revision is not terminal, oldest first."""
    query = _with_newest_revision().where(REVISION_IS_ACTIVE)
    return _pairs(session, query.order_by(RevisionRow.created_at).limit(limit))


def list_delivering(session: Session, limit: int) -> list[tuple[CompilationRow, RevisionRow]]:
    """Return compilations that have ended, and whose files wait for their delivery."""
    pending = select(ResultDeliveryRow.compilation_id).where(
        ResultDeliveryRow.next_attempt_at.is_not(None)
    )
    ids = list(session.scalars(pending.distinct().limit(limit)))
    if not ids:
        return []
    query = _with_newest_revision().where(CompilationRow.id.in_(ids), ~REVISION_IS_ACTIVE)
    return _pairs(session, query.order_by(RevisionRow.created_at))


def list_changed(
    session: Session, owner: str, since: datetime, limit: int
) -> list[tuple[CompilationRow, RevisionRow]]:
    """Return compilations of an owner that are active, or began or ended since, newest first."""
    changed = or_(
        REVISION_IS_ACTIVE, RevisionRow.completed_at >= since, RevisionRow.created_at >= since
    )
    query = _with_newest_revision().where(CompilationRow.owner == owner, _IS_SHOWN, changed)
    return _pairs(session, query.order_by(CompilationRow.created_at.desc()).limit(limit))


def list_deleted(session: Session, owner: str, since: datetime) -> list[str]:
    """Return compilations that their owner has deleted since, in order."""
    query = select(CompilationRow.id).where(
        CompilationRow.owner == owner, CompilationRow.removed_at >= since, ~_IS_SHOWN
    )
    return list(session.scalars(query.order_by(CompilationRow.removed_at).limit(1000)))


def _with_newest_revision() -> Select[CompilationRow, RevisionRow]:
    return select(CompilationRow, RevisionRow).join(RevisionRow, IS_NEWEST_REVISION)


def _pairs(
    session: Session, query: Select[CompilationRow, RevisionRow]
) -> list[tuple[CompilationRow, RevisionRow]]:
    return [(compilation, revision) for compilation, revision in session.execute(query)]


def count_by_state(session: Session) -> dict[str, int]:
    """Return how many compilations are in each state."""
    query = select(RevisionRow.state, func.count()).join(CompilationRow, IS_NEWEST_REVISION)
    rows = session.execute(query.group_by(RevisionRow.state))
    return {row[0]: row[1] for row in rows}


def find_idempotency(session: Session, principal: str, key: str) -> IdempotencyRow | None:
    """Return the first request with this Idempotency-Key of a caller."""
    return session.get(IdempotencyRow, (principal, key))


def add_idempotency(session: Session, idempotency: IdempotencyRow) -> None:
    """Insert an Idempotency-Key. Raise IntegrityError if another request was first."""
    session.add(idempotency)
    session.flush()


def delete_idempotency(session: Session, idempotency: IdempotencyRow) -> None:
    """Delete an Idempotency-Key, so that a later request can use it again."""
    session.delete(idempotency)
    session.flush()


def count_active_drafts(session: Session, owner: str, *, except_id: str) -> int:
    """Return how many other compilations of an owner are drafts that have not ended."""
    query = (
        select(func.count())
        .select_from(CompilationRow)
        .join(RevisionRow, IS_NEWEST_REVISION)
        .where(
            CompilationRow.owner == owner,
            CompilationRow.id != except_id,
            REVISION_IS_ACTIVE,
            RevisionRow.spec["quality"].as_string() == Quality.DRAFT.value,
        )
    )
    return session.scalar(query) or 0
