"""Routes for compilations: submit, plan, edit, cancel, and download outputs."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Body, Depends, Header, Query, Request
from fastapi.responses import Response
from pydantic import AwareDatetime

from clipmill.protocol import (
    CompilationFilter,
    CompilationPage,
    CompilationState,
    CompilationView,
    OutputResult,
    Plan,
    PreviewRequest,
)
from clipmill.protocol.companion_kinds import COMPANION_FILES
from clipmill.spec import MAX_SAFE_INTEGER, CompilationSpec, Manifest, Name
from clipmill_api.compilations import responses, submission
from clipmill_api.context import Context, Ctx
from clipmill_api.database import Session
from clipmill_api.http.authentication import UserPrincipal
from clipmill_api.http.bodies.yaml_bodies import YamlRoute
from clipmill_api.http.openapi import MANIFESTS
from clipmill_api.http.paging import Cursor, encode_cursor
from clipmill_api.http.problem_details import ApiProblem, not_found
from clipmill_api.media import downloads
from clipmill_api.planner import plan_calls
from clipmill_api.queries import compilation_records, media_library, revisions
from clipmill_api.tables import MediaRow

router = APIRouter(route_class=YamlRoute, prefix="/api", tags=["compilations"])
ManifestBody = Annotated[Manifest, Body(openapi_examples=MANIFESTS)]
IfMatch = Annotated[
    str | None,
    Header(max_length=40, description='ETag of the spec that is replaced, such as `"3"`.'),
]
_GENERATION = re.compile(r'"([0-9]{1,15})"')


def _filter(
    state: Annotated[
        list[CompilationState] | None,
        Query(max_length=10, description="State of the newest generation. May be repeated."),
    ] = None,
    name: Annotated[Name | None, Query(description="Exact name.")] = None,
    since: Annotated[
        AwareDatetime | None, Query(description="Created at this time or later.")
    ] = None,
) -> CompilationFilter:
    return CompilationFilter(state=state or [], name=name, since=since)


Filter = Annotated[CompilationFilter, Depends(_filter)]
DEFAULT_PREVIEW = PreviewRequest()


@router.post("/compilations", status_code=201)
def create_compilation(
    ctx: Ctx,
    principal: UserPrincipal,
    response: Response,
    manifest: ManifestBody,
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
) -> CompilationView:
    """Submit a compilation. Requests with the same Idempotency-Key create one compilation."""

    def create(session: Session) -> CompilationView:
        row = submission.create_compilation(
            session, ctx, principal.owner, manifest, idempotency_key
        )
        return responses.newest_view(session, ctx, row)

    return _created(response, ctx.db.write(create))


def _created(response: Response, view: CompilationView) -> CompilationView:
    """Name the address of a new compilation in the response."""
    response.headers["Location"] = f"/api/compilations/{view.id}"
    return view


@router.post("/plan", response_model=Plan)
def plan_compilation(ctx: Ctx, principal: UserPrincipal, manifest: ManifestBody) -> Response:
    """Return the plan of a manifest without submitting it.

    A manifest that submission would refuse is refused in the same way.
    """
    submission.refuse_foreign_owner(principal.owner, manifest.spec)
    plan = plan_calls.answer(ctx, plan_calls.DryRun(principal.owner, manifest.spec))
    return Response(plan, media_type="application/json")


@router.get("/compilations")
def list_compilations(
    ctx: Ctx,
    principal: UserPrincipal,
    after: Cursor,
    filters: Filter,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> CompilationPage:
    """Return a page of the compilations that match the filters, newest first."""
    with ctx.db.read() as session:
        rows = compilation_records.list_compilations(
            session, principal.owner, filters, after, limit + 1
        )
        items = responses.listed_views(session, ctx, rows[:limit])
    last = rows[limit - 1][0] if len(rows) > limit else None
    next_cursor = encode_cursor(last.created_at, last.id) if last else None
    return CompilationPage(items=items, next=next_cursor)


@router.get("/compilations/{compilation_id}")
def get_compilation(ctx: Ctx, principal: UserPrincipal, compilation_id: str) -> CompilationView:
    """Return the current state of a compilation."""
    return compilation_view(ctx, principal.owner, compilation_id)


def compilation_view(ctx: Context, owner: str, compilation_id: str) -> CompilationView:
    """Return the current state of an owner's compilation. Raises 404."""
    with ctx.db.read() as session:
        return responses.newest_view(
            session, ctx, submission.own_compilation(session, owner, compilation_id)
        )


@router.get("/compilations/{compilation_id}/plan", response_model=Plan)
def get_compilation_plan(ctx: Ctx, principal: UserPrincipal, compilation_id: str) -> Response:
    """Return timeline, segments and quota of the newest generation."""
    plan = plan_calls.answer(ctx, plan_calls.StoredPlan(principal.owner, compilation_id))
    return Response(plan, media_type="application/json")


@router.get("/compilations/{compilation_id}/timeline.otio")
def get_timeline(
    ctx: Ctx, principal: UserPrincipal, compilation_id: str, output: Name | None = None
) -> Response:
    """Return the timeline of an output, by default the first, as OpenTimelineIO."""
    call = plan_calls.StoredTimeline(principal.owner, compilation_id, output)
    text = plan_calls.answer(ctx, call)
    with ctx.db.read() as session:
        row = submission.own_compilation(session, principal.owner, compilation_id)
        spec = revisions.get_revision(session, row.id, row.generation).spec
    filename = quote(f"{row.name}-{output or spec['outputs'][0]['name']}.otio")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{filename}"}
    return Response(text, headers=headers, media_type="application/json")


@router.get("/compilations/{compilation_id}/spec", response_model_exclude_none=True)
def get_compilation_spec(
    ctx: Ctx,
    principal: UserPrincipal,
    response: Response,
    compilation_id: str,
    generation: Annotated[
        int | None, Query(ge=1, le=MAX_SAFE_INTEGER, description="Default: the newest one.")
    ] = None,
) -> CompilationSpec:
    """Return the spec of a generation. Its ETag is the generation, for `If-Match` of an edit."""
    with ctx.db.read() as session:
        number, spec = submission.read_spec(session, principal.owner, compilation_id, generation)
    response.headers["ETag"] = f'"{number}"'
    return spec


@router.put("/compilations/{compilation_id}/spec")
def replace_compilation_spec(
    ctx: Ctx,
    principal: UserPrincipal,
    compilation_id: str,
    spec: CompilationSpec,
    if_match: IfMatch = None,
) -> CompilationView:
    """Replace the spec, which creates a generation. Unchanged segments are not rendered again.

    With `If-Match`, 412 is answered if somebody else has edited it since.
    """
    expected = _expected_generation(if_match)

    def edit(session: Session) -> CompilationView:
        row = submission.edit_spec(
            session, ctx, principal.owner, compilation_id, spec, expected=expected
        )
        return responses.newest_view(session, ctx, row)

    return ctx.db.write(edit)


def _expected_generation(if_match: str | None) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    generation = _GENERATION.fullmatch(if_match.strip())
    if generation is None:
        detail = f'If-Match: {if_match!r} is not the ETag of a spec, such as "3"'
        raise ApiProblem(422, "Invalid", detail, field="If-Match")
    return int(generation[1])


@router.post("/compilations/{compilation_id}/preview", status_code=201)
def create_preview(
    ctx: Ctx,
    principal: UserPrincipal,
    response: Response,
    compilation_id: str,
    request: PreviewRequest = DEFAULT_PREVIEW,
) -> CompilationView:
    """Create a draft of a compilation, which takes no render time from the quota.

    The same request again returns the same draft.
    """

    def create(session: Session) -> CompilationView:
        row = submission.create_preview(
            session, ctx, principal.owner, compilation_id, request.extent
        )
        return responses.newest_view(session, ctx, row)

    return _created(response, ctx.db.write(create))


@router.head("/compilations/{compilation_id}/outputs/{file}", include_in_schema=False)
@router.get(
    "/compilations/{compilation_id}/outputs/{file}",
    responses=downloads.RESPONSES,
    response_class=Response,
)
def download_output(
    request: Request, ctx: Ctx, principal: UserPrincipal, compilation_id: str, file: str
) -> Response:
    """Download a finished video or one of its companion files. Supports Range.

    A video is `NAME`, `NAME.mp4` or `NAME.webm`. Its companion files are `NAME.jpg`,
    `NAME-storyboard.png`, `NAME.vtt`, `NAME-chapters.txt`, `NAME-credits.txt` and
    `NAME-manifest.json`.
    """
    name, row = find_output(ctx, principal.owner, compilation_id, file)
    return downloads.serve_to(principal.role, request, ctx, row, name=name)


def find_output(ctx: Context, owner: str, compilation_id: str, file: str) -> tuple[str, MediaRow]:
    """Return the file name for a download of an output's file, and its media. Raises 404."""
    view = compilation_view(ctx, owner, compilation_id)
    media_ids = (_media_id(output, file) for output in view.outputs)
    media_id = next(filter(None, media_ids), None)
    with ctx.db.read() as session:
        row = media_library.find_media(session, owner, media_id) if media_id else None
    if row is None:
        raise not_found(f"output of the {view.state} compilation", file)
    return f"{view.name}-{row.filename}", row


def _media_id(output: OutputResult, file: str) -> str | None:
    """Return the media id of an output's file."""
    name = output.name
    files = {companion.name(name): companion.media_id(output) for companion in COMPANION_FILES}
    files |= {name: output.media_id, f"{name}.{output.container}": output.media_id}
    return files.get(file)
