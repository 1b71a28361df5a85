"""Bytes up: announce, append, complete. People send library files, jobs what they made."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Request
from fastapi.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from clipmill.contract import Upload, UploadRequest
from clipmill_api import uploads
from clipmill_api.auth import UserOrJob
from clipmill_api.context import Context, Ctx
from clipmill_api.problems import ApiProblem

router = APIRouter(prefix="/api/uploads", tags=["uploads"])
BUFFER_BYTES = 1024 * 1024


@router.post("", status_code=201)
def announce(ctx: Ctx, who: UserOrJob, asked: UploadRequest) -> Upload:
    """Announce an upload. The same announcement again goes on where it stopped."""
    return uploads.announce(ctx, who, asked)


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
    ctx: Context, upload_id: str, size_bytes: int, offset: int, request: Request
) -> None:
    with ctx.store.appending(upload_id) as file:
        here = ctx.store.offset(upload_id)
        if offset != here:
            detail = f"Upload-Offset is {offset}, but {here} bytes are here"
            raise ApiProblem(409, "WrongOffset", detail, offset=here)
        buffer = bytearray()
        try:
            async for chunk in request.stream():
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


@router.post("/{upload_id}/complete")
def complete(ctx: Ctx, who: UserOrJob, upload_id: str) -> Upload:
    """Check length, sha256 and the media itself, to its last frame; then publish it."""
    return uploads.complete(ctx, who, upload_id)
