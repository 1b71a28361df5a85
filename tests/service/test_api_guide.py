"""The fifteen endpoints of the migration guide, as corrected. docs/migration.md names each test."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from clipmill.protocol import Heartbeat, Stage, State
from clipmill_client.client import Client
from clipmill_client.errors import PermanentError
from clipmill_client.legacy_calls import GuideCalls
from harness import Harness, library_clip
from pods import assemble, fetch, url

NOWHERE = "x-000000000000"
"""An id that is well formed and nobody's."""


@dataclass(frozen=True)
class World:
    """An owner with a compilation of two clips, of which the first is here and one is awaited."""

    api: Harness
    owner: str
    user: Client
    media_id: str
    uid: str
    project_id: str
    clip_ids: list[str]
    where: str
    job: Client

    @property
    def guide(self) -> GuideCalls:
        """The guide's functions with the key of the fetch stage."""
        return self.job.guide

    def ask(self, method: str, path: str, body: object = None) -> httpx.Response:
        """One raw request under /api/worker. Raises PermanentError."""
        return self.job.wire.once(method, f"/api/worker{path}", json=body)

    def state(self) -> State:
        """The compilation's state."""
        return self.api.operator.view(self.uid).state


@pytest.fixture(scope="module")
def owner(api: Harness, two_seconds: Path) -> tuple[str, Client, str]:
    """A user with one clip in the library: (name, client, media id)."""
    name, user = api.user(storage_limit_bytes=10**9, render_limit_seconds=10**6)
    return name, user, library_clip(user, two_seconds).id


@pytest.fixture
def world(api: Harness, owner: tuple[str, Client, str]) -> World:
    """A fresh compilation of that user."""
    return made(api, owner)


@pytest.fixture(scope="module")
def standing(api: Harness, owner: tuple[str, Client, str]) -> World:
    """One that no refusal changes, however many are tried on it."""
    return made(api, owner)


def made(api: Harness, owner: tuple[str, Client, str]) -> World:
    """A compilation of two clips."""
    name, user, media_id = owner
    where = url()
    clips = [{"mediaId": media_id, "start": "500ms", "title": "Ours"}, {"url": where}]
    uid, plan = api.register(name, {"clips": clips, "maxClipDuration": "10s"})
    job = api.job(uid, Stage.FETCH)
    ids = [clip.id for clip in plan.clips]
    return World(api, name, user, media_id, uid, str(plan.compilation_id), ids, where, job)


def refused(world: World, method: str, path: str, body: object = None) -> PermanentError:
    """The refusal of a request that must be refused."""
    with pytest.raises(PermanentError) as error:
        world.ask(method, path, body)
    return error.value


# --- what holds for all ---------------------------------------------------------------------------

UPDATE = {"status": "succeeded"}
ROUTES: list[tuple[str, str, Any]] = [
    ("GET", "/clips/{clip}", None),
    ("POST", "/clips/{clip}/status", {"error": "gone"}),
    ("GET", "/media/{media}", None),
    ("POST", "/media", {"filename": "a.mp4", "sha256": "0" * 64}),
    ("POST", "/jobs", {"external_id": "t-1"}),
    ("GET", "/jobs/{job}", None),
    ("PUT", "/jobs/{job}", {"progress": 1}),
    ("GET", "/projects/{project}", None),
    ("PUT", "/projects/{project}/status", {"status": "processing"}),
    ("GET", "/users/{user}/quota", None),
    ("GET", "/users/{user}/tier-limits", None),
    ("POST", "/users/{user}/record-render", {"project_id": NOWHERE, "seconds": 1}),
    ("POST", "/media/find-reusable", {"source_url": "https://example.com/a.mp4"}),
    ("GET", "/projects/{project}/compilation-context", None),
    ("POST", "/media/batch", {"media_ids": []}),
]
BY_ID = [row for row in ROUTES if "{" in row[1]]
NOT_AFTER_THE_END = [row for row in ROUTES if "record-render" not in row[1]]


def filled(path: str, value: str) -> str:
    """A path with each id replaced."""
    for name in ("clip", "media", "job", "project", "user"):
        path = path.replace(f"{{{name}}}", value)
    return path


@pytest.mark.parametrize(("method", "path", "body"), BY_ID)
def test_unknown_id_is_404(standing: World, method: str, path: str, body: Any) -> None:
    """An unknown id, well formed or not, is not there: 404 with a code, never 500."""
    for unknown in (NOWHERE, "no id at all", "%00", "x" * 2000):
        error = refused(standing, method, filled(path, unknown), body)
        assert (error.status, error.code) == (404, "NotFound"), unknown


@pytest.mark.parametrize(("method", "path", "body"), BY_ID)
def test_foreign_id_is_404(world: World, method: str, path: str, body: Any) -> None:
    """The id of another compilation of another owner looks as if it did not exist."""
    stranger, _ = world.api.user()
    clips = [{"url": url()}]
    uid, plan = world.api.register(stranger, {"clips": clips})
    other = world.api.job(uid, Stage.FETCH)
    ids = {
        "clip": plan.clips[0].id,
        "media": world.media_id,
        "job": other.guide.create_processing_job(external_id="t").job_id,
        "project": str(plan.compilation_id),
        "user": stranger,
    }
    asker = other if "{media}" in path else world.job
    with pytest.raises(PermanentError) as error:
        asker.wire.once(method, f"/api/worker{path.format(**ids)}", json=body)
    assert (error.value.status, error.value.code) == (404, "NotFound")


@pytest.mark.parametrize(("method", "path", "body"), NOT_AFTER_THE_END)
def test_key_dies_at_the_end(world: World, method: str, path: str, body: Any) -> None:
    """After the terminal state a job's key opens nothing: 409, and the state stands."""
    job_id = world.guide.create_processing_job(external_id="t").job_id
    ids = {
        "clip": world.clip_ids[1],
        "media": world.media_id,
        "job": job_id,
        "project": world.project_id,
        "user": world.owner,
    }
    world.user.cancel(world.project_id)
    error = refused(world, method, path.format(**ids), body)
    assert (error.status, error.code in ("Ended", "StateConflict")) == (409, True)
    assert world.state() is State.CANCELLED


BAD: list[tuple[str, str, Any, str]] = [
    ("POST", "/clips/{clip}/status", {"is_downloaded": "perhaps"}, "is_downloaded"),
    ("POST", "/clips/{clip}/status", {"duration": -1}, "duration"),
    ("POST", "/clips/{clip}/status", {"media_file_id": 7}, "media_file_id"),
    ("POST", "/clips/{clip}/status", {"error": "e" * 501}, "error"),
    ("POST", "/clips/{clip}/status", {"user_id": "eve"}, "user_id"),
    ("POST", "/media", {"filename": "a", "sha256": "zz"}, "sha256"),
    ("POST", "/media", {"filename": "a\nb", "sha256": "0" * 64}, "filename"),
    ("POST", "/media", {"filename": "a", "sha256": "0" * 64, "media_type": "film"}, "media_type"),
    ("POST", "/media", {"filename": "a", "sha256": "0" * 64, "file_size": 1}, "file_size"),
    ("POST", "/media", {"filename": "a", "sha256": "0" * 64, "file_path": "/x"}, "file_path"),
    ("POST", "/jobs", {}, "external_id"),
    ("POST", "/jobs", {"external_id": "t", "status": "success"}, "status"),
    ("POST", "/jobs", {"external_id": "t", "user_id": "eve"}, "user_id"),
    ("PUT", "/jobs/{job}", {"progress": 101}, "progress"),
    ("PUT", "/jobs/{job}", {"progress": "half"}, "progress"),
    ("PUT", "/jobs/{job}", {"result_data": [1]}, "result_data"),
    ("PUT", "/projects/{project}/status", {"status": "draft"}, "status"),
    ("PUT", "/projects/{project}/status", {}, "status"),
    ("POST", "/users/{user}/record-render", {"seconds": 1}, "project_id"),
    ("POST", "/users/{user}/record-render", {"project_id": NOWHERE, "seconds": -1}, "seconds"),
    ("POST", "/users/{user}/record-render", {"project_id": NOWHERE, "seconds": "1e9"}, "seconds"),
    ("POST", "/media/find-reusable", {}, "source_url"),
    ("POST", "/media/find-reusable", {"source_url": "u", "user_id": "eve"}, "user_id"),
    ("POST", "/media/batch", {"media_ids": "m-1"}, "media_ids"),
    ("POST", "/media/batch", {"media_ids": ["../x"]}, "media_ids[0]"),
    ("POST", "/media/batch", {"media_ids": [NOWHERE] * 501}, "media_ids"),
]


@pytest.mark.parametrize(("method", "path", "body", "field"), BAD)
def test_bad_body_is_422(standing: World, method: str, path: str, body: Any, field: str) -> None:
    """A bad body is 422, and the answer names the field and the rule."""
    world = standing
    job_id = world.guide.create_processing_job(external_id="t").job_id
    ids = {
        "clip": world.clip_ids[1],
        "job": job_id,
        "project": world.project_id,
        "user": world.owner,
    }
    error = refused(world, method, path.format(**ids), body)
    assert (error.status, error.code) == (422, "Invalid")
    assert error.facts["errors"][0]["field"] == field
    assert error.detail.startswith(f"{field}: ")


# --- clips ----------------------------------------------------------------------------------------


def test_e1_clip_metadata(world: World) -> None:
    """What a download needs; no id of anybody else, and null where there is none."""
    ours = world.guide.get_clip_metadata(world.clip_ids[0])
    assert (ours.title, ours.source_url, ours.source_platform) == ("Ours", None, "library")
    awaited = world.guide.get_clip_metadata(world.clip_ids[1])
    assert (awaited.source_url, awaited.source_platform) == (world.where, "external")
    assert (awaited.project_id, awaited.user_id) == (world.project_id, world.owner)
    assert (awaited.username, awaited.project_name) == (world.owner, "test")


def test_e1_names_the_platform(world: World) -> None:
    """A Twitch clip is named by its slug, with the case kept."""
    spec = {"clips": [{"url": "https://clips.twitch.tv/AbC-d_1"}]}
    uid, plan = world.api.register(world.owner, spec)
    clip = world.api.job(uid, Stage.FETCH).guide.get_clip_metadata(plan.clips[0].id)
    assert (clip.source_platform, clip.source_id) == ("twitch", "AbC-d_1")


def test_e2_media_moves_the_clip_once(world: World) -> None:
    """The clip gets its media and the compilation goes on; a repeat changes nothing."""
    for _ in range(2):
        reply = world.guide.update_clip_status(
            world.clip_ids[1], media_file_id=world.media_id, is_downloaded=True, duration=2.0
        )
        assert reply.clip_id == world.clip_ids[1]
    view = world.api.operator.view(world.uid)
    assert (view.state, view.clips[1].media_id) == (State.RENDERING, world.media_id)
    error = refused(world, "POST", f"/clips/{world.clip_ids[1]}/status", {"error": "too late"})
    assert (error.status, error.code) == (409, "StateConflict")


def test_e2_error_is_kept(world: World) -> None:
    """The error that the guide threw away is the clip's reason; a repeat changes nothing."""
    for _ in range(2):
        world.guide.update_clip_status(world.clip_ids[1], error="404 of the platform")
    clip = world.api.operator.view(world.uid).clips[1]
    assert (clip.reason, clip.message) == ("FetchFailed", "404 of the platform")
    where = f"/clips/{world.clip_ids[1]}/status"
    error = refused(world, "POST", where, {"media_file_id": world.media_id})
    assert error.code == "StateConflict"


E2_LIES: list[tuple[dict[str, Any], int, str]] = [
    ({"media_file_id": NOWHERE}, 404, "NotFound"),
    ({"media_file_id": "OWN", "duration": 9}, 422, "Invalid"),
    ({"media_file_id": "OWN", "error": "both"}, 422, "Invalid"),
    ({"is_downloaded": True}, 409, "StateConflict"),
]


@pytest.mark.parametrize(("body", "status", "code"), E2_LIES)
def test_e2_believes_nobody(world: World, body: dict[str, Any], status: int, code: str) -> None:
    """Media that is not the owner's, a wrong length, a download that did not happen: refused."""
    if body.get("media_file_id") == "OWN":
        body = {**body, "media_file_id": world.media_id}
    error = refused(world, "POST", f"/clips/{world.clip_ids[1]}/status", body)
    assert (error.status, error.code) == (status, code)
    assert world.state() is State.FETCHING


# --- media ----------------------------------------------------------------------------------------


def test_e3_media_metadata(world: World) -> None:
    """A media file without its place on the server's disk."""
    reply = world.ask("GET", f"/media/{world.media_id}").json()
    assert reply["duration"] == pytest.approx(2, abs=0.1)
    assert reply["user_id"] == reply["username"] == world.owner
    assert "file_path" not in reply


def test_e4_media_row_is_made_once(world: World) -> None:
    """201, then 200 with the same id; the bytes are sized by us and counted once."""
    sha256 = world.user.media(world.media_id).sha256
    before = world.user.account().storage_used_bytes
    body = {"filename": "intro.mp4", "media_type": "intro", "sha256": sha256}
    first, second = world.ask("POST", "/media", body), world.ask("POST", "/media", body)
    codes = (first.status_code, second.status_code)
    assert codes in ((201, 200), (200, 200))
    assert first.json()["media_id"] == second.json()["media_id"]
    row = world.user.media(first.json()["media_id"])
    used = world.user.account().storage_used_bytes - before
    assert used == (row.size_bytes if codes[0] == 201 else 0)
    mine = "SELECT count(*) AS n FROM media WHERE owner = :o AND kind = 'intro'"
    assert world.api.rows(mine, o=world.owner) == [{"n": 1}]


def test_e4_needs_the_bytes(world: World) -> None:
    """A row for bytes that never came is refused."""
    body = {"filename": "a.mp4", "sha256": "0" * 64}
    error = refused(world, "POST", "/media", body)
    assert (error.status, error.code, error.facts["field"]) == (422, "UnknownMedia", "sha256")


def test_e13_reuse_is_by_clip_key(world: World, two_seconds: Path) -> None:
    """Found by any spelling of the URL, for this owner only; the guide scanned 500 rows."""
    assert world.guide.find_reusable_media(world.where).found is False
    fetch(world.job, 0, two_seconds)
    found = world.guide.find_reusable_media(f"{world.where}?utm_source=x#t=3")
    assert (found.found, found.duration) == (True, pytest.approx(2, abs=0.1))
    assert found.media_file_id == world.api.operator.view(world.uid).clips[1].media_id
    stranger, _ = world.api.user()
    uid, _ = world.api.register(stranger, {"clips": [{"url": url()}]})
    other = world.api.job(uid, Stage.FETCH).guide
    assert other.find_reusable_media(world.where).found is False
    error = refused(world, "POST", "/media/find-reusable", {"source_url": "javascript:alert(1)"})
    assert error.code == "ForbiddenURL"


def test_e15_batch_keeps_order_and_names_the_missing(world: World) -> None:
    """Files in the order asked, also asked for twice; what is not there is named."""
    clip = world.user.media(world.media_id)
    body = {"filename": "o.mp4", "media_type": "outro", "sha256": clip.sha256}
    other = world.ask("POST", "/media", body).json()["media_id"]
    asked = [other, NOWHERE, world.media_id, other]
    batch = world.guide.get_media_batch(asked)
    assert [file.id for file in batch.media_files] == [other, world.media_id, other]
    assert batch.missing == [NOWHERE]
    file = batch.media_files[0]
    assert (file.width, file.height, file.framerate) == (320, 180, 30.0)
    assert world.guide.get_media_batch([]).media_files == []


# --- processing jobs ------------------------------------------------------------------------------


def test_e5_job_is_found_again(world: World) -> None:
    """A redelivered task gets its job back: 201, then 200, one row."""
    body = {"external_id": uuid.uuid4().hex, "job_type": "download_clip"}
    first, second = world.ask("POST", "/jobs", body), world.ask("POST", "/jobs", body)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == {"status": "created", "job_id": second.json()["job_id"]}


def test_e5_at_once_is_one_job(world: World) -> None:
    """Eight deliveries of one task at the same time make one job."""
    with ThreadPoolExecutor(8) as pool:
        made = list(
            pool.map(
                lambda _: world.guide.create_processing_job(external_id="same").job_id, range(8)
            )
        )
    assert len(set(made)) == 1
    mine = "SELECT count(*) AS n FROM jobs WHERE compilation_id = :c"
    assert world.api.rows(mine, c=world.project_id) == [{"n": 1}]


def test_e6_job_reads_back(world: World) -> None:
    """Empty things are empty, not null."""
    job_id = world.guide.create_processing_job(external_id="t", job_type="compile_video").job_id
    job = world.guide.get_processing_job(job_id)
    assert (job.progress, job.result_data, job.error_message) == (0, {}, None)
    assert (job.external_id, job.job_type, job.status) == ("t", "compile_video", "running")


def test_e7_progress_rises_and_the_end_is_final(world: World) -> None:
    """Progress never falls; results merge; an ended job takes a repeat and nothing else."""
    guide = world.guide
    job_id = guide.create_processing_job(external_id="t").job_id
    guide.update_processing_job(job_id, progress=60, result_data={"a": 1, "b": {"x": 1}})
    guide.update_processing_job(job_id, progress=30, result_data={"b": {"y": 2}})
    job = guide.get_processing_job(job_id)
    assert (job.progress, job.result_data) == (60, {"a": 1, "b": {"y": 2}})
    for _ in range(2):
        guide.update_processing_job(job_id, status="failed", error_message="disk full")
    late: list[dict[str, Any]] = [
        {"status": "running"},
        {"status": "succeeded"},
        {"progress": 99},
        {"result_data": {"a": 2}},
    ]
    for body in late:
        error = refused(world, "PUT", f"/jobs/{job_id}", body)
        assert (error.status, error.code) == (409, "Ended")
    job = guide.get_processing_job(job_id)
    assert (job.status, job.error_message, job.progress) == ("failed", "disk full", 60)
    sql = "SELECT completed_at FROM jobs WHERE id = :j"
    assert world.api.rows(sql, j=job_id)[0]["completed_at"] is not None


def test_e7_merges_lose_nothing(world: World) -> None:
    """Sixteen updates at the same time, a key each: all sixteen are there."""
    job_id = world.guide.create_processing_job(external_id="t").job_id

    def one(i: int) -> None:
        world.guide.update_processing_job(job_id, progress=i, result_data={f"k{i}": i})

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(one, range(16)))
    job = world.guide.get_processing_job(job_id)
    assert job.result_data == {f"k{i}": i for i in range(16)}
    assert job.progress == 15


def test_e7_result_data_is_bounded(world: World) -> None:
    """Results that would grow without end are refused, and what was there stays."""
    job_id = world.guide.create_processing_job(external_id="t").job_id
    world.guide.update_processing_job(job_id, result_data={"a": "x" * 40_000})
    error = refused(world, "PUT", f"/jobs/{job_id}", {"result_data": {"b": "x" * 40_000}})
    assert (error.status, error.facts["field"]) == (422, "result_data")
    assert list(world.guide.get_processing_job(job_id).result_data) == ["a"]


# --- the project ----------------------------------------------------------------------------------


def test_e8_project(world: World) -> None:
    """The compilation with its clips in the edit's order."""
    project = world.guide.get_project_metadata(world.project_id)
    assert (project.name, project.user_id, project.username) == ("test", world.owner, world.owner)
    assert (project.max_clip_duration, project.output_resolution) == (10.0, "320x180")
    assert (project.output_format, project.audio_norm_db) == ("mp4", -14.0)
    assert [clip.order_index for clip in project.clips] == [0, 1]
    ours, awaited = project.clips
    assert (ours.media_file_id, ours.start_time, ours.end_time) == (world.media_id, 0.5, None)
    assert (ours.is_downloaded, awaited.is_downloaded, awaited.duration) == (True, False, None)


def test_e9_failed_is_final(world: World) -> None:
    """A worker's failure ends it with the reason; no later word moves it."""
    reply = world.guide.update_project_status(world.project_id, status="processing")
    assert reply.project_id == world.project_id
    with pytest.raises(PermanentError) as early:
        world.guide.update_project_status(world.project_id, status="completed")
    assert (early.value.status, early.value.code) == (409, "StateConflict")
    for _ in range(2):
        world.guide.update_project_status(world.project_id, status="failed", error="no disk")
    view = world.api.operator.view(world.uid)
    assert (view.state, view.reason, view.message) == (State.FAILED, "WorkerFailed", "no disk")
    for status in ("completed", "processing"):
        with pytest.raises(PermanentError) as late:
            world.guide.update_project_status(world.project_id, status=status)
        assert late.value.code == "StateConflict"
    sql = "SELECT state FROM reservations WHERE compilation_id = :c"
    assert world.api.rows(sql, c=world.project_id) == [{"state": "released"}]


def test_e9_late_failure_does_not_undo_success(world: World, two_seconds: Path) -> None:
    """A late worker cannot turn a finished compilation into a failed one."""
    spec = {"clips": [{"mediaId": world.media_id}]}
    uid, plan = world.api.register(world.owner, spec)
    job = world.api.job(uid, Stage.ASSEMBLE)
    assemble(job, two_seconds)
    project_id = str(plan.compilation_id)
    job.guide.update_project_status(project_id, status="completed")
    with pytest.raises(PermanentError) as late:
        job.guide.update_project_status(project_id, status="failed", error="late")
    assert late.value.code == "StateConflict"
    assert world.api.operator.view(uid).state is State.SUCCEEDED


def test_e14_context(world: World) -> None:
    """All that a render needs in one call, with the tier's limits; null is no cap."""
    context = world.guide.get_compilation_context(world.project_id)
    assert (context.project.output_resolution, context.project.fps) == ("320x180", 30)
    assert (context.project.fit, context.project.loudness_lufs) == ("Contain", -14.0)
    assert [clip.id for clip in context.clips] == world.clip_ids
    first, second = context.clips
    assert first.media_file is not None
    assert (first.media_file.id, first.media_file.width) == (world.media_id, 320)
    assert (first.start_time, second.media_file) == (0.5, None)
    limits = context.tier_limits
    assert (limits.max_res_label, limits.max_fps, limits.max_clips) == (None, None, None)


def test_e14_tier_caps_are_told(api: Harness) -> None:
    """A cap of the tier is in the context."""
    name, _ = api.user(max_clips=3, max_resolution="720p", max_fps=30, apply_watermark=True)
    uid, plan = api.register(name, {"clips": [{"url": url()}]})
    guide = api.job(uid, Stage.FETCH).guide
    limits = guide.get_compilation_context(str(plan.compilation_id)).tier_limits
    assert (limits.max_clips, limits.max_res_label, limits.max_fps) == (3, "720p", 30)
    assert limits.apply_watermark is True


# --- the user -------------------------------------------------------------------------------------

LIMITS: list[tuple[int | None, int | None]] = [(None, None), (0, 0), (100, 100)]


@pytest.mark.parametrize(("limit", "remaining"), LIMITS)
def test_e10_null_is_no_limit_and_0_is_no_room(
    api: Harness, limit: int | None, remaining: int | None
) -> None:
    """The guide mixed null and 0: here null is no limit and 0 is nothing at all."""
    name, _ = api.user(storage_limit_bytes=limit)
    uid, _ = api.register(name, {"clips": [{"url": url()}]})
    quota = api.job(uid, Stage.FETCH).guide.get_user_quota(name)
    assert (quota.total_bytes, quota.remaining_bytes, quota.used_bytes) == (limit, remaining, 0)


@pytest.mark.parametrize("limit", [None, 500])
def test_e11_tier_limits(api: Harness, limit: int | None) -> None:
    """The fields that the guide documents, with null kept apart from 0."""
    name, _ = api.user(storage_limit_bytes=limit, render_limit_seconds=limit)
    uid, _ = api.register(name, {"clips": [{"url": url()}]})
    tier = api.job(uid, Stage.FETCH).guide.get_user_tier_limits(name)
    assert (tier.tier, tier.storage_limit_bytes, tier.render_time_limit_seconds) == (
        name,
        limit,
        limit,
    )
    assert (tier.is_unlimited, tier.apply_watermark) == (limit is None, False)


def test_e12_one_usage_row(world: World, two_seconds: Path) -> None:
    """Told eight times at once and then finished: one usage row, of the timeline's seconds."""
    spec = {"clips": [{"mediaId": world.media_id}]}
    uid, plan = world.api.register(world.owner, spec)
    project_id = str(plan.compilation_id)
    job = world.api.job(uid, Stage.ASSEMBLE)

    def told(_: int) -> tuple[str, int]:
        reply = job.guide.record_render_usage(world.owner, project_id=project_id, seconds=9999)
        return reply.status, reply.seconds

    with ThreadPoolExecutor(8) as pool:
        replies = sorted(pool.map(told, range(8)))
    assert replies == [("existing", 2)] * 7 + [("recorded", 2)]
    assemble(job, two_seconds)
    assert told(0) == ("existing", 2)
    sql = "SELECT seconds FROM render_usage WHERE compilation_id = :c"
    assert world.api.rows(sql, c=project_id) == [{"seconds": 2}]
    sql = "SELECT state, seconds FROM reservations WHERE compilation_id = :c"
    assert world.api.rows(sql, c=project_id) == [{"state": "settled", "seconds": 2}]


def test_e12_nothing_for_what_ended_without_a_result(world: World) -> None:
    """A cancelled compilation used nothing, whatever its worker says later."""
    world.user.cancel(world.project_id)
    body = {"project_id": world.project_id, "seconds": 5}
    error = refused(world, "POST", f"/users/{world.owner}/record-render", body)
    assert (error.status, error.code) == (409, "Ended")


def test_heartbeat_percent_only_rises(world: World) -> None:
    """What people see of a render's progress never falls."""
    spec = {"clips": [{"mediaId": world.media_id}]}
    uid, _ = world.api.register(world.owner, spec)
    job = world.api.job(uid, Stage.ASSEMBLE)
    epoch = job.order(0, "pod").epoch
    seen = []
    for percent in (50, 20, 100):
        job.heartbeat(Heartbeat(index=0, epoch=epoch, percent=percent))
        seen.append(world.api.operator.view(uid).percent)
    assert seen == [64, 64, 99]


def test_the_eta_follows_the_percent(world: World) -> None:
    """None before anything is rendered; then as much later as the rest takes at that pace."""
    uid, _ = world.api.register(world.owner, {"clips": [{"mediaId": world.media_id}]})
    job = world.api.job(uid, Stage.ASSEMBLE)
    epoch = job.order(0, "pod").epoch
    assert world.api.operator.view(uid).eta is None
    world.api.clock.advance(350)
    job.heartbeat(Heartbeat(index=0, epoch=epoch, percent=50))
    eta = world.api.operator.view(uid).eta
    assert eta is not None
    left = (datetime.fromisoformat(eta) - world.api.clock()).total_seconds()
    assert left == pytest.approx(350 * 35 / 34, abs=5)
    assert world.api.operator.plan(uid).eta == eta
    world.api.clock.advance(100)
    assert world.api.operator.view(uid).eta == eta, "it stays until more is done"
    world.user.cancel(world.api.operator.view(uid).id)
    assert world.api.operator.view(uid).eta is None
