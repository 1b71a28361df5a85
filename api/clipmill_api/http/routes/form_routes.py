"""The upload of a file by a form, as of a page or of `curl -F`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import ValidationError

from clipmill.protocol import Media, MediaKind, UploadPurpose, UploadRequest
from clipmill.spec.input_rules import input_rule
from clipmill_api.compilations import responses
from clipmill_api.context import Context, Ctx, new_id
from clipmill_api.http.authentication import UserPrincipal
from clipmill_api.http.bodies.form_file import FormFile, receive_form
from clipmill_api.http.problem_details import ApiProblem, not_found
from clipmill_api.http.request_limits import NO_LIMIT
from clipmill_api.media import completions, uploads
from clipmill_api.queries import media_library

router = APIRouter(prefix="/api/media", tags=["media"])
CHUNK_BYTES = 1024 * 1024
_FORM: dict[str, Any] = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "format": "binary"},
        "kind": {"type": "string", "enum": ["clip", "music", "image"], "default": "clip"},
    },
}
_REQUEST_BODY = {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}}


@router.post(
    "", status_code=201, max_body_size=NO_LIMIT, openapi_extra={"requestBody": _REQUEST_BODY}
)
async def upload_form(
    ctx: Ctx, principal: UserPrincipal, request: Request, response: Response
) -> Media:
    """Upload one file into the media library by a form. The same bytes are the same media.

    Large files are better uploaded by `/api/uploads`, which continues after an interruption.
    """
    ctx.settings.temporary.mkdir(parents=True, exist_ok=True)
    path = ctx.settings.temporary / new_id("f")
    try:
        limit = ctx.settings.max_upload_bytes
        form = await receive_form(request, path, ctx.disk, limit_bytes=limit)
        upload = await run_in_threadpool(uploads.announce, ctx, principal, _announcement(form))
        if not upload.complete:
            await run_in_threadpool(_spool, ctx, upload.id, path)
            upload = await completions.complete(ctx, principal, upload.id)
    finally:
        path.unlink(missing_ok=True)
    media = await run_in_threadpool(_view, ctx, principal.owner, str(upload.media_id))
    response.headers["Location"] = f"/api/media/{media.id}"
    return media


def _announcement(form: FormFile) -> UploadRequest:
    """Return the announcement of a form's file. Raises 422."""
    try:
        return UploadRequest.model_validate(
            {
                "purpose": UploadPurpose.LIBRARY,
                "kind": form.fields.get("kind", MediaKind.CLIP.value),
                "filename": form.filename,
                "size_bytes": form.size_bytes,
                "sha256": form.sha256,
            }
        )
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][0])
        rule = input_rule({**first}, first["loc"], UploadRequest)
        raise ApiProblem(422, "Invalid", f"{field}: {rule}", field=field) from None


def _spool(ctx: Context, upload_id: str, path: Path) -> None:
    """Append what an earlier attempt has not sent yet to an announced upload."""
    writer = ctx.spool.take_over(upload_id)
    with path.open("rb") as file:
        file.seek(writer.offset)
        while chunk := file.read(CHUNK_BYTES):
            writer.write(chunk)
    writer.finish(b"")


def _view(ctx: Context, owner: str, media_id: str) -> Media:
    with ctx.db.read() as session:
        row = media_library.find_media(session, owner, media_id)
        if row is None:
            raise not_found("media", media_id)
        return responses.media_views(session, [row])[0]
