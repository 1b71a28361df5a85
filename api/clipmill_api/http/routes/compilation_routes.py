"""What people ask: submit, watch, edit, cancel, fetch the video."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Body, Header, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response, StreamingResponse
from sqlalchemy.orm import Session

from clipmill.otio.exporter import exported
from clipmill.protocol import TERMINAL_STATES, CompilationView, OutputResult, CompilationPage, Plan, PreviewRequest
from clipmill.protocol.result_files import COMPANION_FILES
from clipmill.spec import CompilationSpec, Manifest, Name
from clipmill_api.compilations import admission, lifecycle, plan_reader, responses, submission
from clipmill_api.context import Context, Ctx
from clipmill_api.http.authentication import User
from clipmill_api.http.openapi import MANIFESTS
from clipmill_api.http.paging import Cursor, cursor
from clipmill_api.http.problem_details import ApiProblem, not_found
from clipmill_api.media import downloads
from clipmill_api.queries import media_library, revisions

router = APIRouter(prefix="/api", tags=["compilations"])
Wish = Annotated[Manifest, Body(openapi_examples=MANIFESTS)]
NO_WISHES = PreviewRequest()
LOOK_S = 0.5
"""How often a watched compilation is looked at."""
QUIET_S = 15
"""A silent stream says that it lives this often, so that no proxy cuts it."""


@router.post("/compilations", status_code=201)
def create(
    ctx: Ctx,
    who: User,
    manifest: Wish,
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
) -> CompilationView:
    """Submit a compilation. With an Idempotency-Key, a repeat is the same compilation."""

    def made(session: Session) -> CompilationView:
        row = submission.create(session, ctx, who.owner, manifest, idempotency_key)
        return responses.newest(session, ctx, row)

    return ctx.db.write(made)


@router.post("/plan")
def dry_run(ctx: Ctx, who: User, manifest: Wish) -> Plan:
    """What would happen to a manifest, without doing it; refused as submitting it would be."""
    submission.refuse_foreign(who.owner, manifest.spec)
    with ctx.db.read() as session:
        admission.refuse_over_tier(session, who.owner, manifest.spec)
        known = admission.resolve(session, ctx, who.owner, manifest.spec)
        return plan_reader.dry_run(session, ctx, who.owner, known)


@router.get("/compilations")
def get_all(
    ctx: Ctx, who: User, after: Cursor, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> CompilationPage:
    """Compilations, newest first."""
    with ctx.db.read() as session:
        rows = revisions.page(session, who.owner, after, limit + 1)
        keys = [(row.id, revision.generation) for row, revision in rows[:limit]]
        clips = revisions.clips_of(session, keys)
    items = [
        responses.compilation(ctx, row, revision, clips[row.id, revision.generation])
        for row, revision in rows[:limit]
    ]
    last = rows[limit - 1][0] if len(rows) > limit else None
    return CompilationPage(items=items, next=cursor(last.created_at, last.id) if last else None)


@router.get("/compilations/{compilation_id}")
def get_one(ctx: Ctx, who: User, compilation_id: str) -> CompilationView:
    """A compilation as it is now."""
    return _view(ctx, who.owner, compilation_id)


def _view(ctx: Context, owner: str, compilation_id: str) -> CompilationView:
    with ctx.db.read() as session:
        return responses.newest(session, ctx, submission.own(session, owner, compilation_id))


@router.get("/compilations/{compilation_id}/plan")
def get_plan(ctx: Ctx, who: User, compilation_id: str) -> Plan:
    """Timeline, segments and quota of the newest generation."""
    with ctx.db.read() as session:
        return plan_reader.plan(session, ctx, submission.own(session, who.owner, compilation_id))


@router.get("/compilations/{compilation_id}/timeline.otio")
def get_timeline(ctx: Ctx, who: User, compilation_id: str, output: Name | None = None) -> Response:
    """The newest generation's timeline as OpenTimelineIO, of one output (default the first)."""
    with ctx.db.read() as session:
        row = submission.own(session, who.owner, compilation_id)
        made = admission.outputs(lifecycle.known(session, row, row.generation))
    one = next((one for one in made if output in (None, one.output.name)), None)
    if one is None:
        raise not_found("output", str(output))
    if not one.timeline.exact:
        detail = "clips are still to be fetched: their lengths are not known"
        raise ApiProblem(409, "NotReady", detail)
    text = exported(one.record, one.timeline.entries, one.timeline.profile)
    name = quote(f"{row.name}-{one.output.name}.otio")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
    return Response(text, headers=headers, media_type="application/json")


@router.put("/compilations/{compilation_id}/spec")
def put_spec(ctx: Ctx, who: User, compilation_id: str, spec: CompilationSpec) -> CompilationView:
    """Edit: a new generation, which renders only what changed."""

    def edited(session: Session) -> CompilationView:
        row = submission.edit(session, ctx, who.owner, compilation_id, spec)
        return responses.newest(session, ctx, row)

    return ctx.db.write(edited)


@router.post("/compilations/{compilation_id}/preview", status_code=201)
def preview(
    ctx: Ctx, who: User, compilation_id: str, asked: PreviewRequest = NO_WISHES
) -> CompilationView:
    """A draft of it as it is now, a compilation of its own that takes no render time.

    Asked again, the same draft.
    """

    def made(session: Session) -> CompilationView:
        row = submission.preview(session, ctx, who.owner, compilation_id, asked.extent)
        return responses.newest(session, ctx, row)

    return ctx.db.write(made)


@router.delete("/compilations/{compilation_id}")
def cancel(ctx: Ctx, who: User, compilation_id: str) -> CompilationView:
    """Cancel what runs. One that has ended stays as it ended."""

    def cancelled(session: Session) -> CompilationView:
        row = submission.own(session, who.owner, compilation_id)
        submission.cancel(session, ctx, row)
        return responses.newest(session, ctx, row)

    return ctx.db.write(cancelled)


@router.get("/compilations/{compilation_id}/events", response_class=StreamingResponse)
def events(ctx: Ctx, who: User, compilation_id: str) -> StreamingResponse:
    """Server-sent events: the compilation at each change, until it has ended."""
    _view(ctx, who.owner, compilation_id)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    stream = _changes(ctx, who.owner, compilation_id)
    return StreamingResponse(stream, headers=headers, media_type="text/event-stream")


async def _changes(ctx: Context, owner: str, compilation_id: str) -> AsyncIterator[str]:
    last, quiet = "", 0.0
    while True:
        view = await run_in_threadpool(_view, ctx, owner, compilation_id)
        now = json.dumps(view.model_dump(mode="json", by_alias=True))
        if now != last:
            yield f"event: compilation\ndata: {now}\n\n"
            last, quiet = now, 0.0
        if view.state in TERMINAL_STATES:
            return
        if quiet >= QUIET_S:
            yield ": still here\n\n"
            quiet = 0.0
        await asyncio.sleep(LOOK_S)
        quiet += LOOK_S


@router.head("/compilations/{compilation_id}/outputs/{file}", include_in_schema=False)
@router.get(
    "/compilations/{compilation_id}/outputs/{file}",
    responses=downloads.REPLIES,
    response_class=Response,
)
def output(request: Request, ctx: Ctx, who: User, compilation_id: str, file: str) -> Response:
    """A finished file, `NAME` or `NAME.mp4` (or .webm), and what comes with it; takes Range.

    That is NAME.jpg, NAME-storyboard.png, NAME.vtt, NAME-chapters.txt, NAME-credits.txt and
    NAME-manifest.json.
    """
    view = _view(ctx, who.owner, compilation_id)
    media_id = next((found for o in view.outputs if (found := _file(o, file))), None)
    with ctx.db.read() as session:
        row = media_library.media(session, who.owner, media_id) if media_id else None
    if row is None:
        raise not_found("output", f"{file} (the compilation is {view.state})")
    return downloads.serve(
        request, ctx, owner=row.owner, sha256=row.sha256, size=row.size_bytes, name=row.filename
    )


def _file(output: OutputResult, file: str) -> str | None:
    name = output.name
    video = {name: output.media_id, f"{name}.{output.container}": output.media_id}
    return ({one.name(name): one.media_id(output) for one in COMPANION_FILES} | video).get(file)
