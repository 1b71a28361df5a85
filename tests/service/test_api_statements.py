"""SQL statements of each request: as many for 200 clips as for 4, on both databases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clipmill.protocol import (
    FailedTasks,
    Heartbeat,
    MediaKind,
    Stage,
    TaskFailure,
    TaskResult,
    UploadPurpose,
)
from clipmill_client.client import Client
from harness import Harness, library_clip, new_manifest
from pods import announcement, url
from service_statements import StatementCounter

FEW, MANY = 4, 200
MAX_STATEMENTS = 40
# After an outage of the operator, all resources are registered one after the other.
MAX_STATEMENTS_TO_REGISTER = 11
# Jobs call these most often. On SQLite, BEGIN is one too.
MAX_STATEMENTS_OF = {"heartbeat": 6, "claim fetch": 10, "E8": 6, "E14": 6}


def count_user_requests(
    count: StatementCounter, user: Client, spec: dict[str, Any], media_id: str
) -> None:
    """Count the requests of a user."""
    manifest = new_manifest(media_id, **spec)
    count.of("plan", lambda: user.dry_run(manifest))
    compilation = count.of("create", lambda: user.create(manifest))
    count.of("create again", lambda: user.create(manifest, "k"))
    count.of("get", lambda: user.compilation(compilation.id))
    count.of("list", lambda: user.compilations(limit=1))
    count.of("get plan", lambda: user.plan(compilation.id))
    edited = manifest.spec.model_copy(update={"title": "Other"})
    count.of("edit", lambda: user.edit(compilation.id, edited))
    count.of("library", lambda: user.library(limit=10))
    count.of("media", lambda: user.media(media_id))
    count.of("media in use", lambda: user.delete_media(media_id))
    count.of("quota", user.account)
    count.of("usage", user.usage)
    count.of("cancel", lambda: user.cancel(compilation.id))


def count_fetching(
    count: StatementCounter, api: Harness, owner: str, clips: int, file: Path
) -> None:
    """Count the requests of fetch tasks, and of the operator while clips are fetched."""

    def waiting_spec() -> dict[str, Any]:
        return {"clips": [{"url": url()} for _ in range(clips)]}

    uid, plan = count.of("register", lambda: api.register(owner, waiting_spec()))
    count.of("operator plan", lambda: api.operator.plan(uid))
    count.of("operator status", lambda: api.operator.view(uid))
    count.of("create key", lambda: api.operator.create_key(uid, Stage.FETCH, 1))
    job = api.job(uid, Stage.FETCH)
    assignment = count.of("claim fetch", lambda: job.claim(0, "pod"))
    lines = [f"line {i}" for i in range(min(clips, 100))]
    heartbeat = Heartbeat(index=0, epoch=assignment.epoch, percent=1, log=lines)
    count.of("heartbeat", lambda: job.heartbeat(heartbeat))
    clip = {"clip_id": assignment.fetch.clip_id, "index": 0, "epoch": assignment.epoch}
    request = announcement(file, UploadPurpose.CLIP, **clip)
    count.of("upload clip", lambda: job.upload(file, request))
    epoch = job.claim(1, "pod").epoch
    failure = TaskFailure(code="Gone", message="gone")
    count.of("result", lambda: job.result(TaskResult(index=1, epoch=epoch, failure=failure)))
    worker = api.job(uid, Stage.FETCH)
    count_legacy_requests(count, worker, owner, plan, str(api.operator.view(uid).clips[0].media_id))
    failing_uid, _ = api.register(owner, waiting_spec())
    indexes = list(range(clips))
    tasks = FailedTasks(stage=Stage.FETCH, generation=1, indexes=indexes, message="died")
    count.of("failed tasks", lambda: api.operator.report_failed_tasks(failing_uid, tasks))
    deleted_uid, _ = api.register(owner, waiting_spec())
    count.of("delete", lambda: api.operator.delete(deleted_uid))


def count_legacy_requests(
    count: StatementCounter, job: Client, owner: str, plan: Any, media_id: str
) -> None:
    """Count the requests of the legacy worker API."""
    calls = job.legacy
    project, clip = str(plan.compilation_id), plan.clips[-1].id
    job_id = count.of("E5", lambda: calls.create_processing_job(external_id="t"))["job_id"]
    ids = [media_id] + [f"m-{i:08d}" for i in range(len(plan.clips))]
    sha256 = "0" * 64
    for name, call in {
        "E1": lambda: calls.get_clip_metadata(clip),
        "E3": lambda: calls.get_media_metadata(media_id),
        "E4": lambda: calls.create_media_file(filename="a", sha256=sha256),
        "E6": lambda: calls.get_processing_job(job_id),
        "E7": lambda: calls.update_processing_job(job_id, progress=5),
        "E8": lambda: calls.get_project_metadata(project),
        "E9": lambda: calls.update_project_status(project, status="completed"),
        "E10": lambda: calls.get_user_quota(owner),
        "E11": lambda: calls.get_user_tier_limits(owner),
        "E12": lambda: calls.record_render_usage(owner, project_id=project, seconds=1),
        "E13": lambda: calls.find_reusable_media("https://clips.example.com/none.mp4"),
        "E14": lambda: calls.get_compilation_context(project),
        "E15": lambda: calls.get_media_batch(ids),
        "E2": lambda: calls.update_clip_status(clip, media_file_id=media_id),
    }.items():
        count.of(name, call)


def count_rendering(
    count: StatementCounter, api: Harness, owner: str, clips: int, file: Path, media_id: str
) -> None:
    """Count the requests of render and assemble tasks, and of a fetch that skips most clips."""
    spec = {"clips": [{"mediaId": media_id, "end": "40ms"}] * clips}
    uid, _ = api.register(owner, spec)
    render = api.job(uid, Stage.RENDER)
    count.of("claim render", lambda: render.claim(0, "pod"))
    job = api.job(uid, Stage.ASSEMBLE)
    epoch = count.of("claim assemble", lambda: job.claim(0, "pod")).epoch
    heartbeat = Heartbeat(index=0, epoch=epoch, percent=1)
    count.of("heartbeat of a render", lambda: job.heartbeat(heartbeat))
    failure = TaskFailure(code="Broken", message="broken")
    count.of("render failed", lambda: job.result(TaskResult(index=0, epoch=epoch, failure=failure)))
    late_clip = {"url": url(), "start": "9s"}
    uid, plan = api.register(owner, {"clips": [late_clip] * (clips - 1) + [{"url": url()}]})
    fetch = api.job(uid, Stage.FETCH)
    assignment = fetch.claim(0, "pod")
    assert assignment.fetch is not None
    clip = {"clip_id": assignment.fetch.clip_id, "index": 0, "epoch": assignment.epoch}
    fetch.upload(file, announcement(file, UploadPurpose.CLIP, **clip))
    last = plan.clips[-1].id
    worker = api.job(uid, Stage.FETCH).legacy
    count.of("last clip", lambda: worker.update_clip_status(last, media_file_id=media_id))
    assert sum(clip.reason == "TrimOutsideClip" for clip in api.operator.view(uid).clips) > 0
    count.of("active", lambda: api.operator.active_compilations(1))
    count.of("submissions", api.operator.submissions)


def count_requests(api: Harness, clips: int, file: Path) -> dict[str, int]:
    """Return the statements of each request, for compilations of so many clips."""
    owner, user = api.user()
    media_id = library_clip(user, file).id
    count = StatementCounter(api.ctx)
    with count.listening():
        spec = {"clips": [{"mediaId": media_id, "end": "40ms"}] * clips}
        count_user_requests(count, user, spec, media_id)
        count_fetching(count, api, owner, clips, file)
        count_rendering(count, api, owner, clips, file, media_id)
        count.of("upload", lambda: user.upload_media(file, MediaKind.INTRO))
    return count.counts


def test_statements_do_not_grow_with_clips(api: Harness, two_seconds: Path) -> None:
    """A request takes as many statements for two hundred clips as for four, and never many."""
    few = count_requests(api, FEW, two_seconds)
    many = count_requests(api, MANY, two_seconds)
    grown = {name: (few[name], many[name]) for name in few if many[name] > few[name]}
    assert grown == {}
    assert {name: n for name, n in many.items() if n > MAX_STATEMENTS} == {}
    assert many["register"] <= MAX_STATEMENTS_TO_REGISTER
    assert {name: many[name] for name, n in MAX_STATEMENTS_OF.items() if many[name] > n} == {}
    assert len(few) > 40
