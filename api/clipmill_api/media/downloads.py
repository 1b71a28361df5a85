"""Downloads: a blob, whole or in part, with its SHA-256 as the ETag."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import Response, StreamingResponse

from clipmill_api.context import Context
from clipmill_api.http.problem_details import ApiProblem
from clipmill_api.tables import MediaRow, SegmentRow

# Headers of requests whose answer depends on the API's ETag, or that a script in a browser sends.
_CONDITIONAL = {"if-none-match", "if-range", "sec-fetch-mode"}
_RANGE = re.compile(r"^bytes=([0-9]{0,18})-([0-9]{0,18})$")
# A path that contains the SHA-256 always has these bytes. Any other may have different bytes
# after an edit or a new rendering, so that a cache asks with If-None-Match each time.
IMMUTABLE = "private, max-age=31536000, immutable"
NO_CACHE = "private, no-cache"
CONTENT_TYPES = {
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "webm": "video/webm",
    "jpg": "image/jpeg",
    "png": "image/png",
    "vtt": "text/vtt; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
    "json": "application/json",
}
_BINARY: dict[str, Any] = {
    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
}
# Responses of a download, for the OpenAPI document.
RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The whole file. Its `ETag` is its SHA-256.", "content": _BINARY},
    206: {"description": "The requested range.", "content": _BINARY},
    307: {"description": "The file is at `Location` for a while (`CLIPMILL_LINK_SECONDS`)."},
    304: {"description": "The file has not changed (`If-None-Match`)."},
    410: {"description": "`BytesMissing`: the blob store has lost the file."},
}


def serve_media(request: Request, ctx: Context, row: MediaRow, *, name: str = "") -> Response:
    """Return the response to a download of a media file, by another name if any. Raises 416."""
    name = name or row.filename
    return serve(request, ctx, owner=row.owner, sha256=row.sha256, size=row.size_bytes, name=name)


def serve_to(
    role: str, request: Request, ctx: Context, row: MediaRow, *, name: str = ""
) -> Response:
    """Return the response to a download: 307 to the object store if this role gets links.

    The caller has checked rights.

    Raises:
        ApiProblem: 410 if the blob store has lost the file, 416 if the range lies outside it.
    """
    redirect = redirect_to_store(role, request, ctx, row)
    if redirect is None:
        return serve_media(request, ctx, row, name=name)
    if not ctx.store.exists(row.owner, row.sha256, row.size_bytes):
        raise bytes_missing(row.filename)
    return redirect


def redirect_to_store(
    role: str, request: Request, ctx: Context, row: MediaRow | SegmentRow
) -> Response | None:
    """Return a 307 to the object store, which answers ranges. None if the role gets no links.

    A script in a browser gets the bytes from the API, since the object store need not allow its
    origin.
    """
    link = _link(role, request, ctx, row)
    if link is None:
        return None
    return Response(
        status_code=307,
        headers={
            "Location": link,
            "ETag": f'"{row.sha256}"',
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
        },
    )


def _link(role: str, request: Request, ctx: Context, row: MediaRow | SegmentRow) -> str | None:
    """Return a signed link for a plain GET; None if the API is to send the bytes."""
    is_plain = request.method == "GET" and _CONDITIONAL.isdisjoint(request.headers.keys())
    expires_s = ctx.settings.link_seconds_for(role)
    if not expires_s or not is_plain:
        return None
    return ctx.store.link(row.owner, row.sha256, expires_s=expires_s)


def serve(
    request: Request, ctx: Context, *, owner: str, sha256: str, size: int, name: str
) -> Response:
    """Return the response to a download of a blob: 200, 206 for a range, or 304.

    Args:
        request: The request, of which method and conditional headers count.
        ctx: The API's context.
        owner: Owner of the blob.
        sha256: Content of the blob.
        size: Length of the blob in bytes.
        name: File name that is offered for the download; its suffix decides the content type.

    Raises:
        ApiProblem: 410 if the blob store has lost the file, 416 if the range lies outside it.
    """
    headers = {
        "ETag": f'"{sha256}"',
        "Accept-Ranges": "bytes",
        "Cache-Control": IMMUTABLE if sha256 in request.url.path else NO_CACHE,
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "X-Content-Type-Options": "nosniff",
    }
    if _has_current(request.headers.get("if-none-match", ""), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    if not ctx.store.exists(owner, sha256, size):
        raise bytes_missing(name)
    start, end = _requested_range(request, sha256, size)
    status = 200
    if (start, end) != (0, size):
        status, headers["Content-Range"] = 206, f"bytes {start}-{end - 1}/{size}"
    headers["Content-Length"] = str(end - start)
    content_type = CONTENT_TYPES.get(name.rsplit(".", 1)[-1].lower(), "application/octet-stream")
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=content_type)
    body = ctx.store.read(owner, sha256, start, end)
    return StreamingResponse(body, status, headers, media_type=content_type)


def bytes_missing(name: str) -> ApiProblem:
    """Return the error of a file that has a row, but whose bytes are lost or cut off."""
    detail = f"the bytes of {name!r} are missing from the blob store; upload the file again"
    return ApiProblem(410, "BytesMissing", detail)


def _has_current(if_none_match: str, etag: str) -> bool:
    """Return whether an If-None-Match header lists this ETag, strong or weak, or is `*`."""
    etags = [value.strip().removeprefix("W/") for value in if_none_match.split(",")]
    return etag in etags or etags == ["*"]


def _requested_range(request: Request, sha256: str, size: int) -> tuple[int, int]:
    """Return the first byte, and one past the last; a header that is not a range means all."""
    match = _RANGE.match(request.headers.get("range", ""))
    is_current = request.headers.get("if-range", f'"{sha256}"') == f'"{sha256}"'
    if not match or not is_current or match.group() == "bytes=-":
        return 0, size
    first, last = match.groups()
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < start:
            return 0, size
    if start >= end:
        detail = f"Range: {match.group()} lies outside the file's {size} bytes"
        raise ApiProblem(416, "RangeNotSatisfiable", detail, sizeBytes=size)
    return start, end
