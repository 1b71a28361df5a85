"""Compare the blob store with the database. Nothing is changed without an explicit request."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable

from clipmill.protocol.store_reports import (
    RemovalReply,
    StoreCheck,
    StoreFinding,
    StoreVerification,
)
from clipmill_api.context import Context
from clipmill_api.media.blob_store import INSTALLATION, StoredObject
from clipmill_api.media.removals import removal
from clipmill_api.queries import blob_rows, installation, tombstones
from clipmill_api.queries.tombstones import OwnedBlob, RemovalReason
from clipmill_api.timestamps import format_time

MAX_PATHS = 1000
# A page of verified blobs ends after this time, before a proxy ends the request.
VERIFY_S = 20.0
Sizes = dict[OwnedBlob, int]


def check_store(ctx: Context) -> StoreCheck:
    """Return how store and database differ.

    Both change meanwhile, so what seems to be a fault is checked a second time.
    """
    objects = list(ctx.store.objects())
    stored: Sizes = {(item.owner, item.sha256): item.size_bytes for item in objects if item.owner}
    with ctx.db.read() as session:
        expected = blob_rows.sizes_of_rows(session)
        waiting = tombstones.count_waiting(session)
        own = installation.find_installation_id(session)
    missing = [blob for blob in expected if blob not in stored and not ctx.store.exists(*blob)]
    wrong = [blob for blob, size in expected.items() if _has_wrong_size(ctx, stored, blob, size)]
    unknown = {blob: stored[blob] for blob in _unknown(ctx, stored, expected)}
    return StoreCheck(
        installation=own,
        blobs=len(stored),
        size_bytes=sum(stored.values()),
        unknown=_finding(unknown),
        missing=_finding({blob: expected[blob] for blob in missing}),
        wrong_size=_finding({blob: stored[blob] for blob in wrong}),
        strays=_stray_finding([item for item in objects if not item.owner]),
        waiting=waiting,
    )


def _has_wrong_size(ctx: Context, stored: Sizes, blob: OwnedBlob, size: int) -> bool:
    if stored.get(blob, size) == size:
        return False
    return ctx.store.exists(*blob) and not ctx.store.exists(*blob, size)


def _unknown(ctx: Context, stored: Iterable[OwnedBlob], expected: Sizes) -> list[OwnedBlob]:
    """Return blobs that no media file, segment, running upload or tombstone names.

    Watermarks have no rows: assignments that are not finished name them, and there are few.
    """
    candidates = [blob for blob in stored if blob not in expected and blob[0] != INSTALLATION]
    with ctx.db.read() as session:
        named = blob_rows.named_blobs(session, candidates)
    return [blob for blob in candidates if blob not in named and ctx.store.exists(*blob)]


def _finding(blobs: Sizes) -> StoreFinding:
    paths = sorted(f"{owner}/{sha256}" for owner, sha256 in blobs)
    return StoreFinding(count=len(blobs), size_bytes=sum(blobs.values()), paths=paths[:MAX_PATHS])


def _stray_finding(items: list[StoredObject]) -> StoreFinding:
    paths = sorted(item.path for item in items)
    size_bytes = sum(item.size_bytes for item in items)
    return StoreFinding(count=len(items), size_bytes=size_bytes, paths=paths[:MAX_PATHS])


def verify_blobs(ctx: Context, after: str) -> StoreVerification:
    """Read the next blobs that rows name, and compare each with its SHA-256.

    Args:
        ctx: The API's context.
        after: Path of the last blob of the page before; empty for the first page.
    """
    with ctx.db.read() as session:
        blobs = sorted(blob_rows.sizes_of_rows(session).items())
    rest = [(blob, size) for blob, size in blobs if "/".join(blob) > after]
    damaged, end, count = [], time.monotonic() + VERIFY_S, 0
    for blob, size in rest:
        count += 1
        if ctx.store.exists(*blob) and _sha256(ctx, blob, size) != blob[1]:
            damaged.append("/".join(blob))
        if time.monotonic() > end:
            break
    is_last = count == len(rest)
    last = None if is_last else "/".join(rest[count - 1][0])
    return StoreVerification(blobs=count, damaged=damaged, next=last)


def _sha256(ctx: Context, blob: OwnedBlob, size: int) -> str:
    if not ctx.store.exists(*blob, size):
        return "of another size"
    digest = hashlib.sha256()
    for chunk in ctx.store.read(*blob, 0, size):
        digest.update(chunk)
    return digest.hexdigest()


def mark_unknown(ctx: Context) -> RemovalReply:
    """Mark the blobs that no row names. They are deleted at the end of the grace period."""
    stored = [(item.owner, item.sha256) for item in ctx.store.objects() if item.owner]
    with ctx.db.read() as session:
        expected = blob_rows.sizes_of_rows(session)
    unknown = _unknown(ctx, stored, expected)
    marked = removal(ctx, RemovalReason.UNKNOWN_BYTES)
    ctx.db.write(lambda session: tombstones.add_tombstones(session, unknown, marked))
    return RemovalReply(marked=len(unknown), delete_after=format_time(marked.delete_after))
