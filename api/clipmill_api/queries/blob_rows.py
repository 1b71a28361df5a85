"""SQL of all rows that name a blob."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from clipmill_api.queries import media_library, tombstones
from clipmill_api.queries.statements import execute_built
from clipmill_api.queries.tombstones import OwnedBlob
from clipmill_api.tables import MediaRow, SegmentRow, UploadRow

# Blobs of one query, well below the parameters that SQLite allows.
BATCH = 500


def sizes_of_rows(session: Session) -> dict[OwnedBlob, int]:
    """Return the size of every blob that a media file or segment names."""
    sizes: dict[OwnedBlob, int] = {}
    for table in (MediaRow, SegmentRow):
        query = select(table.owner, table.sha256, table.size_bytes)
        for row in execute_built(session, query, {}):
            sizes[(row.owner, row.sha256)] = row.size_bytes
    return sizes


def named_blobs(session: Session, blobs: Sequence[OwnedBlob]) -> set[OwnedBlob]:
    """Return those of the blobs that a running upload, a row or a waiting tombstone names.

    Uploads come first, since completing one replaces it by a row.
    """
    named = _uploading(session) & set(blobs)
    for batch in _batches(blobs):
        named |= media_library.referenced_blobs(session, batch)
        named |= tombstones.marked_blobs(session, batch)
    return named


def _uploading(session: Session) -> set[OwnedBlob]:
    query = select(UploadRow.owner, UploadRow.request).where(UploadRow.complete.is_(False))
    return {(row.owner, row.request["sha256"]) for row in session.execute(query)}


def _batches(blobs: Sequence[OwnedBlob]) -> Iterator[Sequence[OwnedBlob]]:
    for start in range(0, len(blobs), BATCH):
        yield blobs[start : start + BATCH]
