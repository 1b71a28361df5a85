"""A compilation with its owner and its fetch job, for tests of the legacy endpoints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from clipmill.protocol import CompilationState, Stage
from clipmill_client import Client, PermanentError
from clipmill_client.legacy_calls import LegacyWorkerCalls
from harness import Harness
from pods import url

# A well-formed id that belongs to nobody.
UNKNOWN_ID = "x-000000000000"


@dataclass(frozen=True)
class LegacyOwner:
    """A user with one clip of 2 s in the library."""

    api: Harness
    name: str
    user: Client
    media_id: str


@dataclass(frozen=True)
class LegacyWorld:
    """A compilation of two clips: the first is in the library, the second is still to fetch."""

    owner: LegacyOwner
    uid: str
    project_id: str
    clip_ids: list[str]
    clip_url: str
    job: Client

    @property
    def api(self) -> Harness:
        """The API."""
        return self.owner.api

    @property
    def legacy(self) -> LegacyWorkerCalls:
        """Calls with the key of the fetch stage."""
        return self.job.legacy

    def request(self, method: str, path: str, body: object = None) -> httpx.Response:
        """Send a request under /api/worker. Raises PermanentError."""
        return self.job.connection.request_once(method, f"/api/worker{path}", json=body)

    def refusal(self, method: str, path: str, body: object = None) -> PermanentError:
        """Return the error of a request that must be refused."""
        with pytest.raises(PermanentError) as error:
            self.request(method, path, body)
        return error.value

    def state(self) -> CompilationState:
        """Return the compilation's state."""
        return self.api.operator.view(self.uid).state

    def ids(self) -> dict[str, str]:
        """Return ids of this world by the names of path parameters."""
        job = self.legacy.create_processing_job(external_id="t")
        return {
            "clip": self.clip_ids[1],
            "media": self.owner.media_id,
            "job": job["job_id"],
            "project": self.project_id,
            "user": self.owner.name,
        }


def register(owner: LegacyOwner, spec: dict[str, Any], stage: Stage) -> tuple[Client, str]:
    """Register a compilation. Return a client with a key of this stage, and the project's id."""
    uid, plan = owner.api.register(owner.name, spec)
    return owner.api.job(uid, stage), str(plan.compilation_id)


def new_world(owner: LegacyOwner) -> LegacyWorld:
    """Register a new compilation of an owner."""
    clip_url = url()
    clips = [{"mediaId": owner.media_id, "start": "500ms", "title": "Ours"}, {"url": clip_url}]
    uid, plan = owner.api.register(owner.name, {"clips": clips, "maxClipDuration": "10s"})
    return LegacyWorld(
        owner=owner,
        uid=uid,
        project_id=str(plan.compilation_id),
        clip_ids=[clip.id for clip in plan.clips],
        clip_url=clip_url,
        job=owner.api.job(uid, Stage.FETCH),
    )
