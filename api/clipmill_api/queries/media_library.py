"""SQL of media, segments and uploads."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import delete, func, or_, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from clipmill.protocol.companion_kinds import COMPANION_KINDS
from clipmill_api.queries.quota_ledger import changed
from clipmill_api.tables import (
    REVISION_IS_ACTIVE,
    ClipRow,
    CompilationRow,
    MediaRow,
    RevisionRow,
    SegmentRow,
    UploadRow,
)

Blob: TypeAlias = "tuple[str, str]"
"""Owner and sha256."""
OUTPUT_KINDS = ("compilation", *sorted(COMPANION_KINDS))


def media(session: Session, owner: str, media_id: str) -> MediaRow | None:
    """A media file of this owner."""
    return session.scalars(
        select(MediaRow).where(MediaRow.id == media_id, MediaRow.owner == owner)
    ).one_or_none()


def media_by_ids(session: Session, owner: str, ids: Collection[str]) -> dict[str, MediaRow]:
    """Those of the ids that are this owner's."""
    if not ids:
        return {}
    rows = session.scalars(
        select(MediaRow).where(MediaRow.owner == owner, MediaRow.id.in_(set(ids)))
    )
    return {row.id: row for row in rows}


def media_by_clip_keys(session: Session, owner: str, keys: Collection[str]) -> dict[str, MediaRow]:
    """Fetched clips of this owner, by clip key."""
    if not keys:
        return {}
    rows = session.scalars(
        select(MediaRow).where(MediaRow.owner == owner, MediaRow.clip_key.in_(set(keys)))
    )
    return {row.clip_key: row for row in rows if row.clip_key}


def media_by_sha256(session: Session, owner: str, sha256: str, kind: str) -> MediaRow | None:
    """The owner's media file of this content and kind."""
    same = select(MediaRow).where(
        MediaRow.owner == owner, MediaRow.sha256 == sha256, MediaRow.kind == kind
    )
    return session.scalars(same.order_by(MediaRow.created_at).limit(1)).one_or_none()


def any_by_sha256(session: Session, owner: str, sha256: str) -> MediaRow | None:
    """Any media row of this content: the owner has the bytes already."""
    same = select(MediaRow).where(MediaRow.owner == owner, MediaRow.sha256 == sha256).limit(1)
    return session.scalars(same).one_or_none()


def media_page(
    session: Session, owner: str, after: tuple[datetime, str] | None, limit: int
) -> list[MediaRow]:
    """Media of an owner, newest first."""
    rows = select(MediaRow).where(MediaRow.owner == owner)
    if after:
        rows = rows.where(tuple_(MediaRow.created_at, MediaRow.id) < after)
    rows = rows.order_by(MediaRow.created_at.desc(), MediaRow.id.desc()).limit(limit)
    return list(session.scalars(rows))


def add_media(session: Session, row: MediaRow) -> None:
    """Keep a media file."""
    session.add(row)
    session.flush()


def set_thumbnail(session: Session, media_id: str, thumbnail_id: str | None) -> None:
    """The picture of a media file."""
    picture = update(MediaRow).where(MediaRow.id == media_id).values(thumbnail_id=thumbnail_id)
    session.execute(picture)


def delete_media(session: Session, row: MediaRow) -> None:
    """Take a media row out; what has ended keeps its clips without it."""
    session.execute(update(ClipRow).where(ClipRow.media_id == row.id).values(media_id=None))
    session.delete(row)
    session.flush()


def in_use(session: Session, owner: str, media_id: str) -> str | None:
    """A running compilation that cuts from this media file, or plays or draws it."""
    of_its_generation = (RevisionRow.compilation_id == ClipRow.compilation_id) & (
        RevisionRow.generation == ClipRow.generation
    )
    clip = select(ClipRow.compilation_id).join(RevisionRow, of_its_generation)
    cut = clip.where(ClipRow.media_id == media_id, REVISION_IS_ACTIVE).limit(1)
    return session.scalar(cut) or _named(session, owner, media_id)


def _named(session: Session, owner: str, media_id: str) -> str | None:
    """A running compilation whose spec names this media file, wherever it does."""
    mine = RevisionRow.compilation_id == CompilationRow.id
    rows = select(RevisionRow.compilation_id, RevisionRow.spec).join(CompilationRow, mine)
    live = session.execute(rows.where(CompilationRow.owner == owner, REVISION_IS_ACTIVE))
    return next((found for found, spec in live if f'"{media_id}"' in json.dumps(spec)), None)


def is_referenced(session: Session, owner: str, sha256: str) -> bool:
    """Whether any row still names this blob."""
    media_rows = select(func.count()).where(MediaRow.owner == owner, MediaRow.sha256 == sha256)
    segment_rows = select(func.count()).where(
        SegmentRow.owner == owner, SegmentRow.sha256 == sha256
    )
    return bool(session.scalar(media_rows)) or bool(session.scalar(segment_rows))


def strays(session: Session, compilation_id: str, kept: Collection[str]) -> list[MediaRow]:
    """Outputs of a compilation that no result names: left by an assembly that was cut off."""
    rows = select(MediaRow).where(
        MediaRow.compilation_id == compilation_id, MediaRow.kind.in_(OUTPUT_KINDS)
    )
    return [row for row in session.scalars(rows) if row.id not in kept]


# --- segments -----------------------------------------------------------------------------------


def segment(session: Session, owner: str, key: str) -> SegmentRow | None:
    """A rendered segment of this owner."""
    return session.get(SegmentRow, (owner, key))


def existing_segments(session: Session, owner: str, keys: Iterable[str]) -> set[str]:
    """Those of the keys that are rendered."""
    wanted = list(dict.fromkeys(keys))
    if not wanted:
        return set()
    rows = select(SegmentRow.key).where(SegmentRow.owner == owner, SegmentRow.key.in_(wanted))
    return set(session.scalars(rows))


def use_segments(session: Session, owner: str, keys: Collection[str], *, now: datetime) -> None:
    """Remember that segments are needed now: they stay for another while."""
    if keys:
        mine = update(SegmentRow).where(SegmentRow.owner == owner, SegmentRow.key.in_(keys))
        session.execute(mine.values(used_at=now))


def drop_segments(session: Session, before: datetime) -> int:
    """Forget segments that nobody used since; how many."""
    result: Any = session.execute(delete(SegmentRow).where(SegmentRow.used_at < before))
    return int(result.rowcount)


def named_blobs(session: Session, blobs: Collection[Blob]) -> set[Blob]:
    """Those of the blobs that a media file or a segment names, in two statements."""
    named: set[Blob] = set()
    digests = {sha256 for _, sha256 in blobs}
    for table in (MediaRow, SegmentRow):
        rows = select(table.owner, table.sha256).where(table.sha256.in_(digests))
        named |= {(row.owner, row.sha256) for row in session.execute(rows)}
    return named


def add_segment(session: Session, row: SegmentRow) -> None:
    """Keep a segment; the first to come stays."""
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    values = {c.name: getattr(row, c.name) for c in SegmentRow.__table__.columns}
    session.execute(insert(SegmentRow).values(**values).on_conflict_do_nothing())


# --- uploads ----------------------------------------------------------------------------------


def upload(session: Session, owner: str, upload_id: str) -> UploadRow | None:
    """An upload of this owner."""
    mine = select(UploadRow).where(UploadRow.id == upload_id, UploadRow.owner == owner)
    return session.scalars(mine).one_or_none()


def running_upload(session: Session, owner: str, request_sha256: str) -> UploadRow | None:
    """The unfinished upload of the same announcement."""
    same = select(UploadRow).where(
        UploadRow.owner == owner,
        UploadRow.request_sha256 == request_sha256,
        UploadRow.complete.is_(False),
    )
    return session.scalars(same.order_by(UploadRow.created_at).limit(1)).one_or_none()


def add_upload(session: Session, row: UploadRow) -> None:
    """Keep an upload."""
    session.add(row)


def finish_upload(
    session: Session, upload_id: str, *, media_id: str | None, segment_key: str | None
) -> bool:
    """Mark an upload complete, once."""
    done = update(UploadRow).where(UploadRow.id == upload_id, UploadRow.complete.is_(False))
    values = {"complete": True, "media_id": media_id, "segment_key": segment_key}
    return changed(session.execute(done.values(**values)))


def drop_upload(session: Session, upload_id: str) -> bool:
    """Forget an unfinished upload."""
    gone = delete(UploadRow).where(UploadRow.id == upload_id, UploadRow.complete.is_(False))
    return changed(session.execute(gone))


def idle_uploads(session: Session, before: datetime) -> list[UploadRow]:
    """Unfinished uploads announced before a time, and finished ones: their spool may go."""
    old = select(UploadRow).where(UploadRow.created_at < before)
    return list(session.scalars(old.where(or_(UploadRow.complete.is_(False)))))
