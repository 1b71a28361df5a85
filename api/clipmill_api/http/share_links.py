"""Links that need no key: signed, valid for a limited time, and revocable."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
from datetime import UTC, datetime
from urllib.parse import quote

from clipmill.protocol import ShareLink
from clipmill_api.compilations.submission import own_compilation
from clipmill_api.context import Context, new_id
from clipmill_api.database import Session
from clipmill_api.http.problem_details import ApiProblem, not_found
from clipmill_api.queries import result_media
from clipmill_api.tables import MediaRow, ShareLinkRow
from clipmill_api.timestamps import format_time

PATH = "/api/shared"
_PURPOSE = b"clipmill share links 2"
# Links of one compilation at a time, so that nobody fills the database with them.
MAX_LINKS = 100


def create_link(
    ctx: Context, owner: str, compilation_id: str, file: tuple[str, str, MediaRow], seconds: int
) -> ShareLink:
    """Create a link to a file of a compilation.

    Args:
        ctx: The API.
        owner: Owner of the compilation.
        compilation_id: The compilation.
        file: The file's name in the compilation, that of its download, and its media.
        seconds: Seconds until the link ends.

    Raises:
        ApiProblem: 404, or 403 LinkLimit.
    """
    file_name, name, media = file

    def create(session: Session) -> ShareLink:
        compilation = own_compilation(session, owner, compilation_id)
        if len(result_media.list_share_links(session, compilation.id, ctx.now())) >= MAX_LINKS:
            detail = f"{compilation_id} has {MAX_LINKS} links, as many as it may; revoke one"
            raise ApiProblem(403, "LinkLimit", detail, limit=MAX_LINKS)
        row = ShareLinkRow(
            id=new_id("l"),
            compilation_id=compilation.id,
            file=file_name,
            name=name,
            media_id=media.id,
            created_at=ctx.now(),
            expires_at=ctx.later(seconds),
        )
        result_media.add_share_link(session, row)
        return _view(ctx, row)

    return ctx.db.write(create)


def list_links(ctx: Context, owner: str, compilation_id: str) -> list[ShareLink]:
    """Return the links of a compilation that still work. Raise 404 if it does not exist."""
    with ctx.db.read() as session:
        compilation = own_compilation(session, owner, compilation_id)
        rows = result_media.list_share_links(session, compilation.id, ctx.now())
        return [_view(ctx, row) for row in rows]


def revoke_link(ctx: Context, owner: str, compilation_id: str, link_id: str) -> None:
    """End a link at once. Raise 404 if there is none."""

    def revoke(session: Session) -> None:
        compilation = own_compilation(session, owner, compilation_id)
        if not result_media.delete_share_link(session, compilation.id, link_id):
            raise not_found("link", link_id)

    ctx.db.write(revoke)


def shared_media(
    ctx: Context, link_id: str, name: str, *, expires: int, signature: str
) -> MediaRow:
    """Return the file that a link reads.

    Raise 404 unless it was signed here, has not expired, was not revoked, and its file exists.
    """
    expected = _signature(ctx, link_id, name, expires)
    is_signed = hmac.compare_digest(expected.encode(), signature.encode())
    row = None
    if is_signed and datetime.fromtimestamp(expires, UTC) > ctx.now():
        with ctx.db.read() as session:
            row = result_media.find_shared_media(session, link_id)
    if row is None:
        detail = "link: it has expired, was revoked or was changed; ask for another"
        raise ApiProblem(404, "NotFound", detail)
    return row


def _view(ctx: Context, row: ShareLinkRow) -> ShareLink:
    """Return a link. Its URL begins with the public URL of the settings, or is a path."""
    expires = int(row.expires_at.timestamp())
    path = f"{PATH}/{row.id}/{quote(row.name, safe='')}"
    query = f"expires={expires}&signature={_signature(ctx, row.id, row.name, expires)}"
    return ShareLink(
        id=row.id,
        file=row.file,
        url=f"{ctx.settings.public_url.rstrip('/')}{path}?{query}",
        created_at=format_time(row.created_at),
        expires_at=format_time(row.expires_at),
    )


def _signature(ctx: Context, link_id: str, name: str, expires: int) -> str:
    """Sign by a key that is derived from the administrator's: another one ends all links."""
    key = hmac.digest(ctx.settings.admin_key.encode(), _PURPOSE, "sha256")
    text = "\n".join((link_id, str(expires), name)).encode()
    return base64.urlsafe_b64encode(hmac.digest(key, text, hashlib.sha256)).decode().rstrip("=")


class HideSignatures(logging.Filter):
    """Keep signatures of links out of uvicorn's log of requests."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Cut the query off the path of a link."""
        if isinstance(record.args, tuple):
            record.args = tuple(
                arg.partition("?")[0] if isinstance(arg, str) and PATH in arg else arg
                for arg in record.args
            )
        return True
