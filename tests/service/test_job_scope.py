"""What a job's key may do, as a matrix: every route that takes one, by whose key it is.

The rows are the routes, the columns are keys; a route that a job may call and that has no row
fails `test_every_route_of_jobs_has_a_row`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from clipmill.protocol import (
    Assignment,
    Heartbeat,
    MediaKind,
    Stage,
    TaskFailure,
    TaskResult,
    TaskSpans,
    UploadPurpose,
)
from clipmill_client.client import Client
from clipmill_client.errors import ClientError
from clipmill_client.span_calls import SpanCalls
from harness import Harness, library_clip
from pods import announcement, fetch, upload_outputs, url

OK = "OK"


def outcome_of(call: Callable[[], object]) -> str:
    """Return the code of a call's error, or OK."""
    try:
        call()
    except ClientError as error:
        return f"{error.status} {error.code}"
    return OK


@dataclass(frozen=True)
class Target:
    """A claimed task: the ids that requests on it name."""

    owner: str
    project: str
    clip: str
    media: str
    segment: str
    upload: str
    processing_job: str
    assignment: Assignment
    file: Path


Request = Callable[[Client, Target], object]


def _get(path: str) -> Request:
    return lambda job, t: job.connection.request_once("GET", path.format(**vars(t)))


def _send(method: str, path: str, **body: Any) -> Request:
    def send(job: Client, target: Target) -> object:
        filled = {
            key: value.format(**vars(target)) if isinstance(value, str) else value
            for key, value in body.items()
        }
        return job.connection.request_once(method, path.format(**vars(target)), json=filled)

    return send


def _announcement(target: Target) -> Any:
    task = target.assignment
    common = {"index": task.index, "epoch": task.epoch}
    if task.fetch:
        kind = MediaKind.THUMBNAIL
        clip_id = task.fetch.clip_id
        return announcement(target.file, UploadPurpose.CLIP, clip_id=clip_id, kind=kind, **common)
    key = target.segment
    return announcement(target.file, UploadPurpose.SEGMENT, segment_key=key, **common)


def _announce(job: Client, target: Target) -> object:
    request = _announcement(target)
    body = request.model_dump(mode="json", by_alias=True, exclude_none=True)
    return job.connection.request_once("POST", "/api/uploads", json=body)


def _put(job: Client, target: Target) -> object:
    request = _announcement(target)
    params = request.model_dump(mode="json", by_alias=True, exclude_none=True)
    return job.connection.request_once("PUT", "/api/uploads", params=params, content=b"x")


def _patch(job: Client, target: Target) -> object:
    headers = {"Upload-Offset": "0"}
    path = f"/api/uploads/{target.upload}"
    return job.connection.request_once("PATCH", path, content=b"", headers=headers)


def _heartbeat(job: Client, target: Target) -> object:
    task = target.assignment
    return job.heartbeat(Heartbeat(index=task.index, epoch=task.epoch, percent=1))


def _result(job: Client, target: Target) -> object:
    task = target.assignment
    failure = TaskFailure(code="X", message="x", permanent=False)
    return job.result(TaskResult(index=task.index, epoch=task.epoch, failure=failure))


def _spans(job: Client, target: Target) -> object:
    task = target.assignment
    return SpanCalls(job.connection).report(
        TaskSpans(index=task.index, epoch=task.epoch, elapsed_ms=1)
    )


WORKER = "/api/worker"
ROWS: dict[tuple[str, str], Request] = {
    ("GET", "/api/media/{media_id}/content"): _get("/api/media/{media}/content"),
    ("HEAD", "/api/media/{media_id}/content"): _send("HEAD", "/api/media/{media}/content"),
    ("GET", "/api/segments/{key}/content"): _get("/api/segments/{segment}/content"),
    ("HEAD", "/api/segments/{key}/content"): _send("HEAD", "/api/segments/{segment}/content"),
    ("POST", "/api/uploads"): _announce,
    ("PUT", "/api/uploads"): _put,
    ("GET", "/api/uploads/{upload_id}"): _get("/api/uploads/{upload}"),
    ("PATCH", "/api/uploads/{upload_id}"): _patch,
    ("POST", "/api/uploads/{upload_id}/complete"): _send("POST", "/api/uploads/{upload}/complete"),
    ("GET", f"{WORKER}/watermark/{{sha256}}"): _get(f"{WORKER}/watermark/{'0' * 64}"),
    ("POST", f"{WORKER}/heartbeat"): _heartbeat,
    ("POST", f"{WORKER}/result"): _result,
    ("POST", f"{WORKER}/spans"): _spans,
    ("GET", f"{WORKER}/clips/{{clip_id}}"): _get(f"{WORKER}/clips/{{clip}}"),
    ("POST", f"{WORKER}/clips/{{clip_id}}/status"): _send(
        "POST", f"{WORKER}/clips/{{clip}}/status", is_downloaded=True
    ),
    ("GET", f"{WORKER}/media/{{media_id}}"): _get(f"{WORKER}/media/{{media}}"),
    ("GET", f"{WORKER}/jobs/{{job_id}}"): _get(f"{WORKER}/jobs/{{processing_job}}"),
    ("PUT", f"{WORKER}/jobs/{{job_id}}"): _send(
        "PUT", f"{WORKER}/jobs/{{processing_job}}", progress=1
    ),
    ("GET", f"{WORKER}/projects/{{project_id}}"): _get(f"{WORKER}/projects/{{project}}"),
    ("PUT", f"{WORKER}/projects/{{project_id}}/status"): _send(
        "PUT", f"{WORKER}/projects/{{project}}/status", status="failed"
    ),
    ("GET", f"{WORKER}/users/{{user_id}}/quota"): _get(f"{WORKER}/users/{{owner}}/quota"),
    ("GET", f"{WORKER}/users/{{user_id}}/tier-limits"): _get(
        f"{WORKER}/users/{{owner}}/tier-limits"
    ),
    ("POST", f"{WORKER}/users/{{user_id}}/record-render"): _send(
        "POST", f"{WORKER}/users/{{owner}}/record-render", project_id="{project}", seconds=1
    ),
    ("GET", f"{WORKER}/projects/{{project_id}}/compilation-context"): _get(
        f"{WORKER}/projects/{{project}}/compilation-context"
    ),
}
# They name nothing of another task: what they do follows from the key alone.
WITHOUT_TARGET = {
    ("POST", f"{WORKER}/claim"),
    ("POST", f"{WORKER}/media"),
    ("POST", f"{WORKER}/jobs"),
    ("POST", f"{WORKER}/media/find-reusable"),
    ("POST", f"{WORKER}/media/batch"),
}
# Of the same generation, and not of one task: any key of it that is alive may call them.
OF_THE_GENERATION = {row for row in ROWS if "/jobs/" in row[1] or "/users/" in row[1]} | {
    ("GET", f"{WORKER}/projects/{{project_id}}"),
    ("GET", f"{WORKER}/projects/{{project_id}}/compilation-context"),
    ("GET", f"{WORKER}/media/{{media_id}}"),
}
OF_THE_OWNER = {row for row in ROWS if row[1].endswith(("/quota", "/tier-limits"))}
# They name an index and an epoch, which the caller's own task may have too: that is reported on.
OWN_REPORTS = {("POST", f"{WORKER}/{name}") for name in ("heartbeat", "result", "spans")}
# Calls whose reply says that the task or the generation has ended.
REPEATABLE = OWN_REPORTS | {
    ("POST", f"{WORKER}/clips/{{clip_id}}/status"),
    ("PUT", f"{WORKER}/projects/{{project_id}}/status"),
    ("POST", f"{WORKER}/users/{{user_id}}/record-render"),
}


def outcomes(
    job: Client, target: Target, rows: Collection[tuple[str, str]] = tuple(ROWS)
) -> dict[tuple[str, str], str]:
    """Try each row on a target with a job's key."""
    return {row: outcome_of(partial(ROWS[row], job, target)) for row in rows}


def passed(job: Client, target: Target) -> set[tuple[str, str]]:
    """Return the rows that a job's key may do to a target."""
    return {row for row, outcome in outcomes(job, target).items() if outcome == OK}


def routes_of_jobs(api: Harness, key: str) -> Iterator[tuple[str, str]]:
    """Yield the routes that need a key and accept that of a job."""
    outer = [getattr(route, "original_router", None) or route for route in api.app.routes]
    routes = [route for each in outer for route in getattr(each, "routes", [each])]
    with httpx.Client(base_url=api.url, verify=False) as http:
        for route in routes:
            path = getattr(route, "path", "")
            for method in getattr(route, "methods", None) or ():
                plain = http.request(method, path.replace("{", "").replace("}", ""))
                headers = {"Authorization": f"Bearer {key}"}
                reply = http.request(method, plain.request.url.path, headers=headers)
                if plain.status_code == 401 and "requires" not in reply.text:
                    yield method, path


def test_every_route_of_jobs_has_a_row(api: Harness, world: World) -> None:
    """A new route that takes a job's key must be tried with foreign keys."""
    served = set(routes_of_jobs(api, world.fetch_key))
    assert served - {("HEAD", path) for _, path in served} == (set(ROWS) | WITHOUT_TARGET) - {
        ("HEAD", path) for _, path in served
    }


class World:
    """An owner with a compilation of two clips to fetch, and one that is being assembled."""

    def __init__(self, api: Harness, file: Path, other: Path) -> None:
        self.api, self.file = api, other
        self.owner, self.user = api.user()
        self.media = library_clip(self.user, file).id
        self.fetch_uid, self.fetch_plan = api.register(
            self.owner, {"clips": [{"url": url()}, {"url": url()}]}
        )
        self.assemble_uid, self.assemble_plan = api.register(
            self.owner, {"clips": [{"mediaId": self.media, "end": "1s"}]}
        )
        self.fetch_key = api.operator.create_key(self.fetch_uid, Stage.FETCH, 1)
        self.assemble_key = api.operator.create_key(self.assemble_uid, Stage.ASSEMBLE, 1)

    def fetch_job(self, index: int = 0) -> tuple[Client, Target]:
        """Claim a fetch task. Return its client and what it works on."""
        job = self.api.client(self.fetch_key)
        return job, self._target(job, job.claim(index, f"pod-{index}"), self.fetch_plan)

    def assemble_job(self) -> tuple[Client, Target]:
        """Claim the assemble task. Return its client and what it works on."""
        job = self.api.client(self.assemble_key)
        return job, self._target(job, job.claim(0, "pod-a"), self.assemble_plan)

    def _target(self, job: Client, assignment: Assignment, plan: Any) -> Target:
        outputs = assignment.assemble or []
        index = assignment.index
        target = Target(
            owner=self.owner,
            project=assignment.compilation_id,
            clip=plan.clips[index].id,
            media=self.media,
            segment=outputs[0].segments[0].key if outputs else "0" * 64,
            upload="",
            processing_job=job.legacy.create_processing_job(external_id=f"t{index}")["job_id"],
            assignment=assignment,
            file=self.file,
        )
        upload: Any = _announce(job, target)
        return Target(**{**vars(target), "upload": upload.json()["id"]})


@pytest.fixture(scope="module")
def worlds(api: Harness, two_seconds: Path, three_seconds: Path) -> tuple[World, World]:
    """Two owners with the same file, whose jobs announce another one."""
    return World(api, two_seconds, three_seconds), World(api, two_seconds, three_seconds)


@pytest.fixture
def world(api: Harness, two_seconds: Path, three_seconds: Path) -> World:
    """An owner of this test alone."""
    return World(api, two_seconds, three_seconds)


@pytest.fixture(params=["fetch", "assemble"])
def stage(request: pytest.FixtureRequest) -> str:
    """The stage of the task that is attacked."""
    return str(request.param)


def task_of(world: World, stage: str) -> tuple[Client, Target]:
    """Claim a task of this stage."""
    return world.fetch_job(0) if stage == "fetch" else world.assemble_job()


ALLOWED_OWN = {
    "fetch": {
        ("POST", "/api/uploads"),
        ("GET", "/api/uploads/{upload_id}"),
        ("PATCH", "/api/uploads/{upload_id}"),
        ("GET", f"{WORKER}/clips/{{clip_id}}"),
        ("POST", f"{WORKER}/heartbeat"),
    },
    "assemble": {
        ("GET", "/api/media/{media_id}/content"),
        ("HEAD", "/api/media/{media_id}/content"),
        ("POST", "/api/uploads"),
        ("GET", "/api/uploads/{upload_id}"),
        ("PATCH", "/api/uploads/{upload_id}"),
        ("POST", f"{WORKER}/heartbeat"),
    },
}


def test_a_task_may_do_its_work(worlds: tuple[World, World], stage: str) -> None:
    """The key of a task is good for its own files and uploads."""
    job, target = task_of(worlds[0], stage)
    results = outcomes(job, target, ALLOWED_OWN[stage])
    assert set(results.values()) == {OK}, results


def test_another_task_of_the_stage(worlds: tuple[World, World]) -> None:
    """The second fetch task neither reads nor writes for the first."""
    _, target = worlds[0].fetch_job(0)
    other, _ = worlds[0].fetch_job(1)
    assert passed(other, target) <= OF_THE_GENERATION


def test_another_compilation_of_the_owner(worlds: tuple[World, World], stage: str) -> None:
    """A task of one compilation does nothing to another one, and reads none of its segments."""
    _, target = task_of(worlds[0], stage)
    other, _ = task_of(worlds[0], "assemble" if stage == "fetch" else "fetch")
    # The assembled compilation's own clip is the library's media file of this target too.
    own_media = {row for row in ROWS if "{media_id}" in row[1]} if stage == "fetch" else set()
    assert passed(other, target) <= OF_THE_OWNER | OWN_REPORTS | own_media


def test_another_owner(worlds: tuple[World, World], stage: str) -> None:
    """No route answers the key of another owner."""
    _, target = task_of(worlds[0], stage)
    other, _ = task_of(worlds[1], stage)
    assert passed(other, target) <= OWN_REPORTS


def test_the_key_of_the_stage_only_claims(worlds: tuple[World, World], stage: str) -> None:
    """Files and reports need the key that the claim returned."""
    world = worlds[0]
    _, target = task_of(world, stage)
    holder = world.api.client(world.fetch_key if stage == "fetch" else world.assemble_key)
    rows = [
        row
        for row in ROWS
        if not row[1].startswith(WORKER) or row[1].endswith(("/heartbeat", "/result", "{sha256}"))
    ]
    results = outcomes(holder, target, rows)
    assert {result.split()[0] for result in results.values()} == {"409"}, results


def test_a_finished_task(world: World, two_seconds: Path) -> None:
    """After its upload, a fetch task reads and writes nothing; the other task goes on."""
    job, target = world.fetch_job(0)
    other, of_other = world.fetch_job(1)
    fetch(job, 0, two_seconds)
    results = outcomes(job, target, set(ROWS) - REPEATABLE)
    assert {row: text for row, text in results.items() if not text.startswith("409 ")} == {}
    assert outcome_of(lambda: _announce(other, of_other)) == OK


def test_a_task_that_was_claimed_again(api: Harness, world: World) -> None:
    """The earlier holder has lost everything to the later one."""
    job, target = world.assemble_job()
    api.clock.advance(api.settings.lease_s + 5)
    expired = outcome_of(lambda: ROWS["GET", "/api/media/{media_id}/content"](job, target))
    assert expired == "503 LeaseExpired"
    api.client(world.assemble_key).claim(0, "later")
    results = outcomes(job, target, ALLOWED_OWN["assemble"])
    # The reply to HEAD has no body, and so no code.
    assert set(results.values()) == {"409 LeaseLost", "409 HTTP409"}, results


def test_a_stage_that_is_over(api: Harness, world: World, two_seconds: Path) -> None:
    """When the last clip has arrived, the keys of all fetch tasks are dead."""
    job, target = world.fetch_job(0)
    fetch(job, 0, two_seconds)
    fetch(api.client(world.fetch_key), 1, two_seconds)
    late = api.client(world.fetch_key)
    assert outcome_of(lambda: late.claim(0, "late")) == "409 NothingLeft"
    results = outcomes(late, target, set(ROWS) - REPEATABLE)
    assert {row: text for row, text in results.items() if not text.startswith("409 ")} == {}


@pytest.mark.parametrize("end", ["cancelled", "revoked"])
def test_an_ended_revision_and_a_revoked_key(
    api: Harness, world: World, end: str, stage: str
) -> None:
    """409 Ended, or 401; only calls that confirm the end are answered."""
    job, target = task_of(world, stage)
    if end == "cancelled":
        world.user.cancel(target.project)
        results = outcomes(job, target, set(ROWS) - REPEATABLE)
    else:
        uid = world.fetch_uid if stage == "fetch" else world.assemble_uid
        api.operator.create_key(uid, target.assignment.stage, 1)
        results = outcomes(job, target)
    code = "409" if end == "cancelled" else "401"
    assert {row: text for row, text in results.items() if not text.startswith(code)} == {}


def test_a_segment_of_another_compilation(worlds: tuple[World, World], two_seconds: Path) -> None:
    """The attack of the review: a fetch key published bytes under another's segment key."""
    job, mine = worlds[0].fetch_job(0)
    _, target = worlds[0].assemble_job()
    epoch = mine.assignment.epoch
    request = announcement(
        two_seconds, UploadPurpose.SEGMENT, segment_key=target.segment, epoch=epoch
    )
    assert outcome_of(lambda: job.upload(two_seconds, request)) == "403 Forbidden"
    sql = "SELECT key FROM segments WHERE owner = :o"
    assert worlds[0].api.rows(sql, o=worlds[0].owner) == []


def test_companion_files_of_another_compilation(world: World, two_seconds: Path) -> None:
    """An output names files that its own compilation uploaded, and nothing else of the owner."""
    job, _ = world.assemble_job()
    result = upload_outputs(job, two_seconds)
    stolen = result.outputs[0].model_copy(update={"thumbnail_id": world.media})
    forged = result.model_copy(update={"outputs": [stolen]})
    assert outcome_of(lambda: job.result(forged)) == "422 UnknownMedia"
