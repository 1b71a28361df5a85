"""SQL statements of each request: as many for 200 clips as for 4, on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event

from clipmill.protocol import (
    ClipFailure,
    FailedTasks,
    Heartbeat,
    MediaKind,
    Result,
    Stage,
    UploadPurpose,
)
from clipmill.spec import CompilationSpec, Manifest
from clipmill_api.context import Context
from clipmill_client.client import Client
from clipmill_client.errors import PermanentError
from harness import SMALL, Harness, library_clip
from pods import announcement, url

FEW, MANY = 4, 200
MOST = 40
"""No request needs more statements than this."""
REGISTER = 14
"""Every resource of a crowd is registered at once, one after the other: nothing is read twice."""


class Counter:
    """Statements of each named request."""

    def __init__(self, ctx: Context) -> None:
        self._engines = {ctx.db.engine, ctx.db.writer}
        self._now = 0
        self.counts: dict[str, int] = {}

    def _count(self, *_: object) -> None:
        self._now += 1

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Count while this lasts."""
        for engine in self._engines:
            event.listen(engine, "before_cursor_execute", self._count)
        yield
        for engine in self._engines:
            event.remove(engine, "before_cursor_execute", self._count)

    def of(self, name: str, request: Callable[[], Any]) -> Any:
        """Make a request and note what it took; a refusal takes statements too."""
        self._now = 0
        try:
            return request()
        except PermanentError as error:
            return error
        finally:
            self.counts[name] = self._now


def manifest(spec: dict[str, Any]) -> Manifest:
    """A manifest."""
    return Manifest.model_validate(
        {
            "apiVersion": "clipmill.dev/v1alpha1",
            "kind": "Compilation",
            "metadata": {"name": "many"},
            "spec": {"outputs": [SMALL], **spec},
        }
    )


def people(count: Counter, user: Client, spec: dict[str, Any], media_id: str) -> None:
    """What people ask of a compilation."""
    wish = manifest(spec)
    count.of("plan", lambda: user.dry_run(wish))
    made = count.of("create", lambda: user.create(wish))
    count.of("create again", lambda: user.create(wish, "k"))
    count.of("get", lambda: user.compilation(made.id))
    count.of("list", lambda: user.compilations(limit=1))
    count.of("get plan", lambda: user.plan(made.id))
    edited = CompilationSpec.model_validate(
        {**wish.spec.model_dump(by_alias=True, exclude_none=True), "title": "Other"}
    )
    count.of("edit", lambda: user.edit(made.id, edited))
    count.of("library", lambda: user.library(limit=10))
    count.of("media", lambda: user.media(media_id))
    count.of("media in use", lambda: user.delete_media(media_id))
    count.of("quota", user.account)
    count.of("usage", user.usage)
    count.of("cancel", lambda: user.cancel(made.id))


def fetching(count: Counter, api: Harness, owner: str, clips: int, file: Path) -> None:
    """A compilation whose clips are all awaited, and one whose pods died."""
    spec = {"clips": [{"url": url()} for _ in range(clips)]}
    uid, plan = count.of("register", lambda: api.register(owner, spec))
    count.of("operator plan", lambda: api.operator.plan(uid))
    count.of("operator status", lambda: api.operator.view(uid))
    count.of("mint", lambda: api.operator.mint(uid, Stage.FETCH, 1))
    job = api.job(uid, Stage.FETCH)
    order = count.of("claim fetch", lambda: job.order(0, "pod"))
    lines = [f"line {i}" for i in range(min(clips, 100))]
    beat = Heartbeat(index=0, epoch=order.epoch, percent=1, log=lines)
    count.of("heartbeat", lambda: job.heartbeat(beat))
    asked = announcement(
        file, UploadPurpose.CLIP, clip_id=order.fetch.clip_id, index=0, epoch=order.epoch
    )
    count.of("upload clip", lambda: job.upload(file, asked))
    epoch = job.order(1, "pod").epoch
    failure = ClipFailure(code="Gone", message="gone")
    count.of("result", lambda: job.result(Result(index=1, epoch=epoch, failure=failure)))
    guide(count, job, owner, plan, str(api.operator.view(uid).clips[0].media_id))
    dead, _ = api.register(owner, {"clips": [{"url": url()} for _ in range(clips)]})
    gone = FailedTasks(stage=Stage.FETCH, generation=1, indexes=list(range(clips)), message="died")
    count.of("failed parts", lambda: api.operator.failed(dead, gone))
    left, _ = api.register(owner, {"clips": [{"url": url()} for _ in range(clips)]})
    count.of("gone", lambda: api.operator.gone(left))


def guide(count: Counter, job: Client, owner: str, plan: Any, media_id: str) -> None:
    """The fifteen endpoints."""
    calls = job.guide
    project, clip = str(plan.compilation_id), plan.clips[-1].id
    job_id = count.of("E5", lambda: calls.create_processing_job(external_id="t")).job_id
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


def rendering(
    count: Counter, api: Harness, owner: str, clips: int, file: Path, media_id: str
) -> None:
    """A compilation whose clips are all here, to its end; and one with every trim too late."""
    spec = {"clips": [{"mediaId": media_id, "end": "40ms"}] * clips}
    uid, _ = api.register(owner, spec)
    render = api.job(uid, Stage.RENDER)
    count.of("claim render", lambda: render.order(0, "pod"))
    job = api.job(uid, Stage.ASSEMBLE)
    epoch = count.of("claim assemble", lambda: job.order(0, "pod")).epoch
    beat = Heartbeat(index=0, epoch=epoch, percent=1)
    count.of("heartbeat of a render", lambda: job.heartbeat(beat))
    failure = ClipFailure(code="Broken", message="broken")
    count.of("render failed", lambda: job.result(Result(index=0, epoch=epoch, failure=failure)))
    where = url()
    late = {"clips": [{"url": where, "start": "9s"}] * (clips - 1) + [{"url": url()}]}
    uid, plan = api.register(owner, late)
    fetch = api.job(uid, Stage.FETCH)
    order = fetch.order(0, "pod")
    assert order.fetch is not None
    clip = {"clip_id": order.fetch.clip_id, "index": 0, "epoch": order.epoch}
    fetch.upload(file, announcement(file, UploadPurpose.CLIP, **clip))
    last = plan.clips[-1].id
    count.of("last clip", lambda: fetch.guide.update_clip_status(last, media_file_id=media_id))
    assert sum(clip.reason == "TrimOutsideClip" for clip in api.operator.view(uid).clips) > 0
    count.of("active", lambda: api.operator._wire.once("GET", "/api/operator/active?limit=1"))
    count.of("submissions", lambda: api.operator._wire.once("GET", "/api/operator/submissions"))


def counted(api: Harness, clips: int, file: Path) -> dict[str, int]:
    """The statements of every request, for so many clips."""
    owner, user = api.user()
    media_id = library_clip(user, file).id
    count = Counter(api.ctx)
    with count.listening():
        clip = {"mediaId": media_id, "end": "40ms"}
        people(count, user, {"clips": [clip] * clips}, media_id)
        fetching(count, api, owner, clips, file)
        rendering(count, api, owner, clips, file, media_id)
        count.of("upload", lambda: user.upload_media(file, MediaKind.INTRO))
    return count.counts


def test_as_many_statements_for_many_clips(api: Harness, two_seconds: Path) -> None:
    """Four clips and two hundred: the same statements for every request, and never many."""
    few = counted(api, FEW, two_seconds)
    many = counted(api, MANY, two_seconds)
    grown = {name: (few[name], many[name]) for name in few if many[name] > few[name]}
    assert grown == {}
    assert {name: n for name, n in many.items() if n > MOST} == {}
    assert many["register"] <= REGISTER
    assert len(few) > 40
