"""SQL of media files and of the blobs that rows refer to."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import bindparam, func, or_, select, tuple_, update
from sqlalchemy.orm import Session

from clipmill.protocol.companion_kinds import COMPANION_KINDS
from clipmill_api.queries.statements import execute_built
from clipmill_api.queries.tombstones import OwnedBlob, Removal, add_tombstones
from clipmill_api.tables import (
    REVISION_IS_ACTIVE,
    ClipRow,
    CompilationRow,
    MediaRow,
    RevisionRow,
    SegmentRow,
    UploadRow,
)

OUTPUT_KINDS = ("compilation", *sorted(COMPANION_KINDS))


def find_media(session: Session, owner: str, media_id: str) -> MediaRow | None:
    """Return a media file of this owner."""
    query = select(MediaRow).where(MediaRow.id == media_id, MediaRow.owner == owner)
    return session.scalars(query).one_or_none()


def find_any_media(session: Session, media_id: str) -> MediaRow | None:
    """Return a media file of any owner, for a caller whose link proves its right."""
    return session.get(MediaRow, media_id)


_MEDIA_BY_ID = select(MediaRow).where(
    MediaRow.owner == bindparam("of_owner"), MediaRow.id.in_(bindparam("ids", expanding=True))
)


def media_by_ids(session: Session, owner: str, ids: Collection[str]) -> dict[str, MediaRow]:
    """Return the media files of this owner among the ids."""
    if not ids:
        return {}
    rows = session.scalars(_MEDIA_BY_ID, {"of_owner": owner, "ids": list(set(ids))})
    return {media.id: media for media in rows}


_BY_CLIP_KEY = select(MediaRow).where(
    MediaRow.owner == bindparam("of_owner"),
    MediaRow.clip_key.in_(bindparam("keys", expanding=True)),
)


def media_by_clip_keys(session: Session, owner: str, keys: Collection[str]) -> dict[str, MediaRow]:
    """Return the fetched clips of this owner among the clip keys."""
    if not keys:
        return {}
    rows = session.scalars(_BY_CLIP_KEY, {"of_owner": owner, "keys": list(set(keys))})
    return {media.clip_key: media for media in rows if media.clip_key}


_FETCHED = select(MediaRow).where(
    MediaRow.owner == bindparam("of_owner"),
    or_(
        MediaRow.clip_key.in_(bindparam("keys", expanding=True)),
        MediaRow.excerpt_of.in_(bindparam("keys", expanding=True)),
    ),
)


def fetched_media(session: Session, owner: str, keys: Collection[str]) -> list[MediaRow]:
    """Return the fetched clips of this owner for the clip keys: whole sources and excerpts."""
    if not keys:
        return []
    return list(session.scalars(_FETCHED, {"of_owner": owner, "keys": list(set(keys))}))


_OF_CONTENT = (
    select(MediaRow)
    .where(MediaRow.owner == bindparam("of_owner"), MediaRow.sha256 == bindparam("of_sha256"))
    .order_by(MediaRow.created_at)
    .limit(1)
)
_OF_CONTENT_AND_KIND = _OF_CONTENT.where(MediaRow.kind == bindparam("of_kind"))


def find_by_sha256(
    session: Session, owner: str, sha256: str, kind: str | None = None
) -> MediaRow | None:
    """Return the owner's oldest media file of this content, and of this kind unless None."""
    values = {"of_owner": owner, "of_sha256": sha256}
    if kind is None:
        return session.scalars(_OF_CONTENT, values).one_or_none()
    return session.scalars(_OF_CONTENT_AND_KIND, values | {"of_kind": kind}).one_or_none()


_UPLOADED_CONTENTS = (
    select(MediaRow.sha256)
    .join(UploadRow, UploadRow.media_id == MediaRow.id)
    .where(
        UploadRow.owner == bindparam("of_owner"),
        UploadRow.compilation_id == bindparam("of_compilation"),
    )
)


def uploaded_contents(session: Session, owner: str, compilation_id: str) -> set[str]:
    """Return the hashes of the media that jobs of a compilation have uploaded."""
    values = {"of_owner": owner, "of_compilation": compilation_id}
    return {sha256 for (sha256,) in execute_built(session, _UPLOADED_CONTENTS, values)}


def list_media(
    session: Session,
    owner: str,
    after: tuple[datetime, str] | None,
    limit: int,
    *,
    kind: str | None = None,
) -> list[MediaRow]:
    """Return media files of an owner, of one kind or all, newest first, from a cursor on."""
    query = select(MediaRow).where(MediaRow.owner == owner)
    if kind:
        query = query.where(MediaRow.kind == kind)
    if after:
        query = query.where(tuple_(MediaRow.created_at, MediaRow.id) < after)
    query = query.order_by(MediaRow.created_at.desc(), MediaRow.id.desc()).limit(limit)
    return list(session.scalars(query))


def list_of_kinds(
    session: Session, owner: str, kinds: Collection[str], *, since: datetime | None, limit: int
) -> list[MediaRow]:
    """Return media files of an owner of some kinds uploaded since a time, newest first."""
    query = select(MediaRow).where(MediaRow.owner == owner, MediaRow.kind.in_(kinds))
    if since is not None:
        query = query.where(MediaRow.created_at >= since)
    query = query.order_by(MediaRow.created_at.desc(), MediaRow.id.desc()).limit(limit)
    return list(session.scalars(query))


def add_media(session: Session, media: MediaRow) -> None:
    """Insert a media file. Raise IntegrityError if its clip key has a media file."""
    session.add(media)
    session.flush()


def set_thumbnail(session: Session, media_id: str, thumbnail_id: str | None) -> None:
    """Set the thumbnail of a media file."""
    media = update(MediaRow).where(MediaRow.id == media_id)
    session.execute(media.values(thumbnail_id=thumbnail_id))


def delete_media(session: Session, media: MediaRow, removal: Removal) -> None:
    """Delete the row of a media file. Clips of terminal revisions lose their reference to it.

    Its bytes are deleted at the end of the grace period, unless another row names them.
    """
    clips = update(ClipRow).where(ClipRow.media_id == media.id)
    session.execute(clips.values(media_id=None))
    session.delete(media)
    session.flush()
    add_tombstones(session, [(media.owner, media.sha256)], removal)


def find_using_compilation(session: Session, owner: str, media_id: str) -> str | None:
    """Return the id of an active compilation that uses a media file in any field of its spec."""
    same_revision = (RevisionRow.compilation_id == ClipRow.compilation_id) & (
        RevisionRow.generation == ClipRow.generation
    )
    clips = select(ClipRow.compilation_id).join(RevisionRow, same_revision)
    by_clip = clips.where(ClipRow.media_id == media_id, REVISION_IS_ACTIVE).limit(1)
    return session.scalar(by_clip) or _find_active_spec(session, owner, media_id)


def _find_active_spec(session: Session, owner: str, media_id: str) -> str | None:
    """Return the id of an active compilation whose spec contains a media id."""
    same_compilation = RevisionRow.compilation_id == CompilationRow.id
    specs = select(RevisionRow.compilation_id, RevisionRow.spec)
    query = specs.join(CompilationRow, same_compilation).where(
        CompilationRow.owner == owner, REVISION_IS_ACTIVE
    )
    rows = session.execute(query)
    quoted = f'"{media_id}"'
    return next((id_ for id_, spec in rows if quoted in json.dumps(spec)), None)


def list_unreferenced_outputs(
    session: Session, compilation_id: str, referenced: Collection[str]
) -> list[MediaRow]:
    """Return output files of a compilation that are not among the referenced media ids."""
    query = select(MediaRow).where(
        MediaRow.compilation_id == compilation_id, MediaRow.kind.in_(OUTPUT_KINDS)
    )
    return [media for media in session.scalars(query) if media.id not in referenced]


def is_blob_referenced(session: Session, owner: str, sha256: str) -> bool:
    """Return whether a media file or a segment refers to a blob."""
    return bool(referenced_blobs(session, [(owner, sha256)]))


def newest_blobs(session: Session, limit: int) -> list[OwnedBlob]:
    """Return blobs of the newest media files and segments."""
    blobs: list[OwnedBlob] = []
    for table in (MediaRow, SegmentRow):
        query = select(table.owner, table.sha256).order_by(table.created_at.desc()).limit(limit)
        blobs += [(row.owner, row.sha256) for row in session.execute(query)]
    return blobs


def count_blob_rows(session: Session) -> int:
    """Return how many rows of media files and segments name a blob."""
    counts = [select(func.count()).select_from(table) for table in (MediaRow, SegmentRow)]
    return sum(session.scalar(count) or 0 for count in counts)


def referenced_blobs(session: Session, blobs: Collection[OwnedBlob]) -> set[OwnedBlob]:
    """Return those of the blobs that a media file or a segment refers to."""
    referenced: set[OwnedBlob] = set()
    digests = {sha256 for _, sha256 in blobs}
    for table in (MediaRow, SegmentRow):
        query = select(table.owner, table.sha256).where(table.sha256.in_(digests))
        referenced |= {(row.owner, row.sha256) for row in session.execute(query)}
    return referenced & set(blobs)
