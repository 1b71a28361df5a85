"""Bytes up: announce, append, complete; or a small file by one request for all three.

People send library files, jobs what they made.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from clipmill.protocol import Upload, UploadRequest
from clipmill_api.context import Context, Ctx
from clipmill_api.http.authentication import UserOrJob
from clipmill_api.http.problem_details import ApiProblem
from clipmill_api.media import uploads

router = APIRouter(prefix="/api/uploads", tags=["uploads"])
BUFFER_BYTES = 1024 * 1024


@router.post("", status_code=201)
def announce(ctx: Ctx, who: UserOrJob, asked: UploadRequest) -> Upload:
    """Announce an upload. The same announcement again goes on where it stopped."""
    return uploads.announce(ctx, who, asked)


@router.put("", status_code=201)
async def whole(
    ctx: Ctx, who: UserOrJob, asked: Annotated[UploadRequest, Query()], request: Request
) -> Upload:
    """A file by one request: announced by the query, sent as the body, and completed.

    SourceRange, it is as announced, with the bytes that came: send it again, or only the rest of it.
    """
    upload = await run_in_threadpool(uploads.announce, ctx, who, asked)
    if upload.complete:
        return upload
    await _append(ctx, upload.id, upload.size_bytes, None, request)
    return await run_in_threadpool(uploads.complete, ctx, who, upload.id)


@router.get("/{upload_id}")
def get(ctx: Ctx, who: UserOrJob, upload_id: str) -> Upload:
    """How far an upload is: `offset` is the next byte wanted."""
    return uploads.view(ctx, uploads.find(ctx, who, upload_id))


@router.patch("/{upload_id}")
async def append(
    ctx: Ctx,
    who: UserOrJob,
    upload_id: str,
    request: Request,
    upload_offset: Annotated[int, Header(ge=0, description="where these bytes start")],
    upload_complete: Annotated[
        Literal["?0", "?1"], Header(description="`?1`: the last bytes, complete it at once")
    ] = "?0",
) -> Upload:
    """Append bytes at `Upload-Offset`, which must be where the upload ends now."""
    row = await run_in_threadpool(uploads.find, ctx, who, upload_id)
    if not row.complete:
        await _append(ctx, row.id, row.size_bytes, upload_offset, request)
    if upload_complete == "?1":
        return await run_in_threadpool(uploads.complete, ctx, who, upload_id)
    return uploads.view(ctx, row)


async def _append(
    ctx: Context, upload_id: str, size_bytes: int, offset: int | None, request: Request
) -> None:
    """Bytes from `offset` on; None: the whole file, of which some may be here."""
    with ctx.store.appending(upload_id) as file:
        here = ctx.store.offset(upload_id)
        if offset not in (None, here):
            detail = f"Upload-Offset is {offset}, but {here} bytes are here"
            raise ApiProblem(409, "WrongOffset", detail, offset=here)
        buffer = bytearray()
        try:
            async for chunk in _stream(request, skip=here if offset is None else 0):
                here += len(chunk)
                if here > size_bytes:
                    detail = f"more than the announced {size_bytes} bytes came"
                    raise ApiProblem(413, "TooLarge", detail, limitBytes=size_bytes)
                buffer += chunk
                if len(buffer) >= BUFFER_BYTES:
                    await run_in_threadpool(file.write, bytes(buffer))
                    buffer.clear()
        except ClientDisconnect:
            detail = "the connection ended within these bytes; what came is kept"
            raise ApiProblem(400, "Disconnected", detail) from None
        finally:
            await run_in_threadpool(file.write, bytes(buffer))


async def _stream(request: Request, *, skip: int) -> AsyncIterator[bytes]:
    """A request's body without its first `skip` bytes."""
    async for chunk in request.stream():
        yield chunk[skip:]
        skip = max(0, skip - len(chunk))


@router.post("/{upload_id}/complete")
def complete(ctx: Ctx, who: UserOrJob, upload_id: str) -> Upload:
    """Check length, sha256 and the media itself, to its last frame; then publish it."""
    return uploads.complete(ctx, who, upload_id)
