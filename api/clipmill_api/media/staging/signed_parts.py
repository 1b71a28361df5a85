"""Signed links for the bytes of uploads, so that they bypass the API."""

from __future__ import annotations

from clipmill.protocol.upload_messages import UploadLink
from clipmill_api.context import Context
from clipmill_api.http.authentication import Principal
from clipmill_api.media.staging.stored_spool import StoredSpool, end_of
from clipmill_api.tables import UploadRow

# An object store limits the parts of one upload neither in size nor in number that matters here.
PART_BYTES = 32 * 1024 * 1024
# A larger file gets further links when these parts have arrived.
MAX_LINKS = 64


def missing_parts(ctx: Context, principal: Principal, row: UploadRow) -> list[UploadLink] | None:
    """Return the next parts to send to the object store. None if the API offers no links.

    The caller has checked rights, quota and size, and that the upload is the principal's.
    """
    expires_s, spool = ctx.settings.link_seconds_for(principal.role), ctx.spool
    if not expires_s or row.complete or not isinstance(spool, StoredSpool):
        return None
    arrived, links = spool.parts(row.id), []
    for offset, size_bytes in _missing(arrived, row.size_bytes):
        url = spool.link(row.id, offset, expires_s=expires_s)
        if url is None:
            return None
        links.append(UploadLink(offset=offset, size_bytes=size_bytes, url=url))
    return links


def _missing(arrived: dict[int, int], total_bytes: int) -> list[tuple[int, int]]:
    """Return offset and size of the first parts that have not arrived with their length."""
    start = end_of(arrived)
    sizes = {at: min(PART_BYTES, total_bytes - at) for at in range(start, total_bytes, PART_BYTES)}
    return [(at, size) for at, size in sizes.items() if arrived.get(at) != size][:MAX_LINKS]
