"""Routes for uploads: announce, append and complete, or all three in one request.

Users upload files of the library, jobs upload what they fetched or rendered.
"""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from clipmill import fault_points
from clipmill.protocol import Upload, UploadRequest
from clipmill_api.context import Context, Ctx
from clipmill_api.http.authentication import UserOrJobPrincipal, UserPrincipal
from clipmill_api.http.bodies.body_chunks import body_chunks
from clipmill_api.http.bodies.yaml_bodies import YamlRoute
from clipmill_api.http.problem_details import ApiProblem
from clipmill_api.http.request_limits import NO_LIMIT
from clipmill_api.media import completions, uploads

router = APIRouter(route_class=YamlRoute, prefix="/api/uploads", tags=["uploads"])
BUFFER_BYTES = 1024 * 1024


@router.post("", status_code=201)
def create_upload(
    ctx: Ctx, principal: UserOrJobPrincipal, response: Response, request: UploadRequest
) -> Upload:
    """Announce an upload. The same announcement again continues the same upload.

    With `links` in the response, send the bytes of each by PUT to its `url`, and complete the
    upload; or append them here.
    """
    upload = uploads.announce(ctx, principal, request)
    response.headers["Location"] = f"/api/uploads/{upload.id}"
    return upload


@router.put("", status_code=201, max_body_size=NO_LIMIT)
async def upload_file(
    ctx: Ctx,
    principal: UserOrJobPrincipal,
    announcement: Annotated[UploadRequest, Query()],
    request: Request,
    response: Response,
) -> Upload:
    """Upload a file in one request: announced by the query, sent as the body, and completed.

    An interrupted request leaves the announced upload with the bytes that arrived. Send the
    request again, or append the rest.
    """
    upload = await run_in_threadpool(uploads.announce, ctx, principal, announcement)
    response.headers["Location"] = f"/api/uploads/{upload.id}"
    if upload.complete:
        return upload
    await _append(ctx, upload.id, upload.size_bytes, None, request, announcement.purpose)
    return await completions.complete(ctx, principal, upload.id)


@router.get("/{upload_id}")
def get_upload(ctx: Ctx, principal: UserOrJobPrincipal, upload_id: str) -> Upload:
    """Return an upload; `offset` is where the next bytes are to be appended.

    Where the API offers links to its object store, `links` say where to send what is missing next.
    """
    return uploads.view_with_links(ctx, principal, uploads.find(ctx, principal, upload_id))


@router.delete("/{upload_id}", status_code=204)
def cancel_upload(ctx: Ctx, principal: UserPrincipal, upload_id: str) -> None:
    """Cancel an upload that is not complete: its bytes are deleted, its storage is released."""
    ctx.disk.make_room()
    uploads.cancel(ctx, principal, upload_id)


@router.patch("/{upload_id}", max_body_size=NO_LIMIT)
async def append_upload(
    ctx: Ctx,
    principal: UserOrJobPrincipal,
    upload_id: str,
    request: Request,
    upload_offset: Annotated[int, Header(ge=0, description="Offset of the first byte.")],
    upload_complete: Annotated[
        Literal["?0", "?1"], Header(description="`?1` completes the upload after these bytes.")
    ] = "?0",
) -> Upload:
    """Append bytes at `Upload-Offset`, which must be the upload's current offset."""
    row = await run_in_threadpool(uploads.find, ctx, principal, upload_id)
    if not row.complete:
        purpose = row.request["purpose"]
        await _append(ctx, row.id, row.size_bytes, upload_offset, request, purpose)
    if upload_complete == "?1":
        return await completions.complete(ctx, principal, upload_id)
    return await run_in_threadpool(uploads.view, ctx, row)


async def _append(
    ctx: Context,
    upload_id: str,
    size_bytes: int,
    offset: int | None,
    request: Request,
    purpose: str,
) -> None:
    """Append a body from `offset` on; None if the body is the whole file."""
    writer = await run_in_threadpool(lambda: ctx.spool.take_over(upload_id, offset))
    end, buffer = writer.offset, bytearray()
    try:
        async for chunk in body_chunks(request, skip=end if offset is None else 0):
            end += len(chunk)
            if end > size_bytes:
                detail = f"body: exceeds the announced {size_bytes} bytes"
                raise ApiProblem(413, "TooLarge", detail, limitBytes=size_bytes)
            buffer += chunk
            if len(buffer) >= BUFFER_BYTES:
                data = bytes(buffer)
                buffer.clear()  # before an error: the last bytes are not written twice
                await run_in_threadpool(writer.write, data)
                fault_points.reach(f"api.upload.{purpose}.bytes")
    except (ClientDisconnect, TimeoutError):
        detail = "the connection was lost before the end of the body; its bytes are kept"
        raise ApiProblem(400, "Disconnected", detail) from None
    finally:
        await run_in_threadpool(writer.finish, bytes(buffer))
        fault_points.reach(f"api.upload.{purpose}.bytes")


@router.post("/{upload_id}/complete")
async def complete_upload(ctx: Ctx, principal: UserOrJobPrincipal, upload_id: str) -> Upload:
    """Verify length and SHA-256, read the media to its end, and publish the upload."""
    return await completions.complete(ctx, principal, upload_id)
