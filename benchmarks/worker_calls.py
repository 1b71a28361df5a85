"""Call the worker endpoints by clients that have a compilation each."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from clipmill.protocol import Heartbeat, MediaKind, Plan, Registration, Stage, TierView, UserView
from clipmill.spec import CompilationSpec
from clipmill_client.client import Client

CLIENTS = 16
# Clips of the compilation; the number of statements does not depend on it.
CLIPS = 20
Call = Callable[[], object]


@dataclass(frozen=True)
class Job:
    """The clients of one job, and the ids that its calls need."""

    # With the key of a claimed fetch task, of its stage, and of a stage whose clips are ready.
    client: Client
    worker: Client
    assembler: Client
    ready_project: str
    owner: str
    project: str
    clip: str
    media: str
    job: str
    epoch: int


def calls(job: Job) -> dict[str, Call]:
    """Return a call of every worker endpoint by its name in the table."""
    legacy = job.worker.legacy
    ids = [job.media, "m-00000000"]
    heartbeat = Heartbeat(index=0, epoch=job.epoch, percent=50, log=["one line"])
    return {
        "GET /healthz (no database)": lambda: job.client.connection.request_once("GET", "/healthz"),
        "claim": lambda: job.client.claim(0, "bench"),
        "heartbeat": lambda: job.client.heartbeat(heartbeat),
        "E1 clip": lambda: legacy.get_clip_metadata(job.clip),
        "E2 clip status": lambda: legacy.update_clip_status(job.clip, media_file_id=job.media),
        "E3 media": lambda: legacy.get_media_metadata(job.media),
        "E4 create media": lambda: legacy.create_media_file(filename="a", sha256=_sha(job)),
        "E5 create job": lambda: legacy.create_processing_job(external_id="bench"),
        "E6 job": lambda: legacy.get_processing_job(job.job),
        "E7 update job": lambda: legacy.update_processing_job(job.job, result_data={"a": 1}),
        "E8 project": lambda: legacy.get_project_metadata(job.project),
        "E9 project status": lambda: legacy.update_project_status(job.project, status="processing"),
        "E10 quota": lambda: legacy.get_user_quota(job.owner),
        "E11 tier limits": lambda: legacy.get_user_tier_limits(job.owner),
        "E13 find reusable": lambda: legacy.find_reusable_media("https://x.example/none.mp4"),
        "E14 context": lambda: legacy.get_compilation_context(job.project),
        "E15 media batch": lambda: legacy.get_media_batch(ids),
        "E12 record render": lambda: job.assembler.legacy.record_render_usage(
            job.owner, project_id=job.ready_project, seconds=1
        ),
    }


_SHA: dict[str, str] = {}


def _sha(job: Job) -> str:
    return _SHA[job.owner]


def jobs(url: str, admin_key: str, operator_key: str, clip: Path, stack: ExitStack) -> list[Job]:
    """Create one owner and one compilation for each client."""
    admin = stack.enter_context(Client(url, admin_key))
    operator = stack.enter_context(Client(url, operator_key))
    admin.admin.put_tier(TierView(name="bench"))
    return [one_job(url, admin, operator, clip, stack) for _ in range(CLIENTS)]


def one_job(url: str, admin: Client, operator: Client, file: Path, stack: ExitStack) -> Job:
    """Create an owner with a compilation whose first task is claimed."""
    owner = f"b{uuid.uuid4().hex[:10]}"
    admin.admin.put_user(UserView(name=owner, tier="bench"))
    user = stack.enter_context(Client(url, admin.admin.create_key(owner)))
    media = user.upload_media(file, MediaKind.CLIP)
    _SHA[owner] = media.sha256
    ready = [{"mediaId": media.id, "end": "500ms"}] * CLIPS
    plan, key = _registered(operator, owner, [*ready, {"url": "https://x.example/a"}], Stage.FETCH)
    ready_plan, assemble_key = _registered(operator, owner, ready, Stage.ASSEMBLE)
    client, worker, assembler = (
        stack.enter_context(Client(url, each)) for each in (key, key, assemble_key)
    )
    return Job(
        client=client,
        worker=worker,
        assembler=assembler,
        ready_project=str(ready_plan.compilation_id),
        owner=owner,
        project=str(plan.compilation_id),
        clip=plan.clips[0].id,
        media=media.id,
        job=worker.legacy.create_processing_job(external_id="bench")["job_id"],
        epoch=client.claim(0, "bench").epoch,
    )


def _registered(
    operator: Client, owner: str, clips: list[dict[str, str]], stage: Stage
) -> tuple[Plan, str]:
    """Register a compilation. Return its plan and a key of a stage."""
    registration = Registration(
        namespace="bench",
        name="bench",
        generation=1,
        owner=owner,
        spec=CompilationSpec.model_validate({"clips": clips}),
    )
    uid = uuid.uuid4().hex
    plan = operator.operator.register(uid, registration)
    return plan, operator.operator.create_key(uid, stage, 1)
