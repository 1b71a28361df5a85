"""Bytes down: one blob, whole or a range of it, named by its sha256."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import Response, StreamingResponse

from clipmill_api.context import Context
from clipmill_api.http.problem_details import ApiProblem

_RANGE = re.compile(r"^bytes=([0-9]{0,18})-([0-9]{0,18})$")
TYPES = {
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "webm": "video/webm",
    "jpg": "image/jpeg",
    "png": "image/png",
    "vtt": "text/vtt; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
    "json": "application/json",
}

_BYTES: dict[str, Any] = {
    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
}
REPLIES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The whole file; `ETag` is its sha256.", "content": _BYTES},
    206: {"description": "The range asked for.", "content": _BYTES},
    304: {"description": "The caller has it (`If-None-Match`)."},
}


def serve(
    request: Request, ctx: Context, *, owner: str, sha256: str, size: int, name: str
) -> Response:
    """The blob: 200, 206 for a range, 304 when the caller has it. Raises 416."""
    headers = {
        "ETag": f'"{sha256}"',
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, max-age=31536000, immutable",
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "X-Content-Type-Options": "nosniff",
    }
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    start, end = _span(request, sha256, size)
    status = 200
    if (start, end) != (0, size):
        status, headers["Content-Range"] = 206, f"bytes {start}-{end - 1}/{size}"
    headers["Content-Length"] = str(end - start)
    kind = TYPES.get(name.rsplit(".", 1)[-1].lower(), "application/octet-stream")
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=kind)
    body = ctx.store.read(owner, sha256, start, end)
    return StreamingResponse(body, status, headers, media_type=kind)


def _span(request: Request, sha256: str, size: int) -> tuple[int, int]:
    """First byte and one past the last, of a single range; anything odd gives the whole."""
    match = _RANGE.match(request.headers.get("range", ""))
    known = request.headers.get("if-range", f'"{sha256}"') == f'"{sha256}"'
    if not match or not known or match.group() == "bytes=-":
        return 0, size
    first, last = match.groups()
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < start:
            return 0, size
    if start >= end:
        raise ApiProblem(416, "RangeNotSatisfiable", f"the file has {size} bytes", sizeBytes=size)
    return start, end
