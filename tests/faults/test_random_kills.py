"""Many compilations while API and jobs are killed at random: nothing is lost, doubled or stuck.

Real: the API is a process of its own that gets kill -9 at random moments and is started again; its
database is SQLite, or a PostgreSQL server that goes on; every file is probed by ffmpeg. Played:
operator and jobs are threads with the SDK's client. A killed job is one that does nothing more
after a random step, and whose lease has to end. Instead of rendering it sends a small file of the
right length. test_upload_kills.py and test_operator_faults.py kill real jobs and operators.

5 compilations on SQLite in an ordinary run; 500 on each database with CLIPMILL_FAULTS=all.
CLIPMILL_FAULTS_KILLS is another number; CLIPMILL_FAULTS_SEED another seed, so that a long run can
be divided into several.
"""

from __future__ import annotations

import os
import random
import struct
import threading
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import clipmaker
from clipmill import fault_points
from clipmill.protocol import (
    TERMINAL_STATES,
    CompilationState,
    MediaKind,
    OutputResult,
    Plan,
    Registration,
    Stage,
    TaskResult,
    TierView,
    UploadPurpose,
    UserView,
)
from clipmill.spec import CompilationSpec
from clipmill_api.media.store_check import check_store
from clipmill_client import Client, PermanentError, RetryableError
from harness import SMALL, Harness
from killed_api import KilledApi
from pods import announcement, url
from stored_bytes import assert_bytes_stored, assert_quota_adds_up

IS_LONG = os.environ.get("CLIPMILL_FAULTS") == "all"
COUNT = int(os.environ.get("CLIPMILL_FAULTS_KILLS", "500" if IS_LONG else "5"))
# Compilations that are worked on at a time.
WORKERS = 4
# A process of the API is killed after so many requests at most.
MOST_REQUESTS = 40
STUCK_S = 300 if IS_LONG else 120
LEASE_S = 2
DEATHS = 0.15
SEED = int(os.environ.get("CLIPMILL_FAULTS_SEED", "10"))
OWNER = "ada"
# What a job gets after its lease or its key has ended; the next one goes on.
LOST = {"LeaseLost", "Ended", "Unauthorized"}


class JobKilledError(BaseException):
    """A job does nothing more. No handler of the client catches it."""


class Job:
    """A pod with its own random number generator, which kills it at some of its steps."""

    def __init__(self, client: Client, index: int, file: Path, seed: str) -> None:
        self._client, self._index, self._file = client, index, file
        self._rng = random.Random(seed)
        self._holder = f"pod-{uuid.uuid4().hex[:8]}"

    def reach(self) -> None:
        """Die, or go on."""
        if self._rng.random() < DEATHS:
            raise JobKilledError

    def run(self) -> None:
        """Do the task, claiming it again after each interrupted request."""
        until = time.monotonic() + 5 * LEASE_S
        while time.monotonic() < until:
            try:
                return self._attempt()
            except RetryableError:
                time.sleep(0.2)
        return None

    def _attempt(self) -> None:
        assignment = self._client.claim(self._index, self._holder)
        self.reach()
        more: dict[str, object] = {"index": self._index, "epoch": assignment.epoch}
        if assignment.fetch:
            more["clip_id"] = assignment.fetch.clip_id
            self._client.upload(self._file, announcement(self._file, UploadPurpose.CLIP, **more))
            return
        outputs = []
        for output in assignment.assemble or []:
            more |= {"output": output.name, "kind": MediaKind.COMPILATION}
            request = announcement(self._file, UploadPurpose.OUTPUT, **more)
            media_id = str(self._client.upload(self._file, request).media_id)
            outputs.append(
                OutputResult(name=output.name, media_id=media_id, frames=1, duration_us=1)
            )
        self.reach()
        epoch = assignment.epoch
        self._client.result(TaskResult(index=self._index, epoch=epoch, outputs=outputs))
        self.reach()


class Operator:
    """Drives compilations to their end, whatever is killed."""

    def __init__(self, api: KilledApi, clip: Path, folder: Path) -> None:
        self._api, self._clip, self._folder = api, clip, folder
        self._jobs = threading.local()
        self.deaths: Counter[str] = Counter()
        self._http = threading.local()

    def die_at_steps_of_uploads(self, _: str) -> None:
        """Let the thread's job die at a step that the client names."""
        self._jobs.current.reach()

    def compile(self, number: int) -> CompilationState:
        """Return the state in which a compilation ends. Raise AssertionError if it is stuck."""
        until = time.monotonic() + STUCK_S
        uid, clip_url, attempt = uuid.uuid4().hex, url(), 0
        files = {
            stage: self._new_file(f"{number}-{stage}") for stage in (Stage.FETCH, Stage.ASSEMBLE)
        }
        while True:
            assert time.monotonic() < until, f"{uid} is stuck: {self._api.kills} kills"
            attempt += 1
            try:
                # Registering the same again changes nothing, and returns the plan.
                plan = self._registered(uid, clip_url)
                if plan.state in TERMINAL_STATES:
                    return plan.state
                self._run_job(uid, plan, files, f"{SEED}-{number}-{attempt}")
            except RetryableError:
                time.sleep(0.2)

    def _registered(self, uid: str, clip_url: str) -> Plan:
        spec = CompilationSpec.model_validate({"clips": [{"url": clip_url}], "outputs": [SMALL]})
        registration = Registration(
            namespace="default", name="kills", generation=1, owner=OWNER, spec=spec
        )
        with self._api.client(self._api.operator_key) as client:
            return client.operator.register(uid, registration)

    def _run_job(self, uid: str, plan: Plan, files: dict[Stage, Path], seed: str) -> None:
        stage = Stage.ASSEMBLE if plan.state is CompilationState.RENDERING else Stage.FETCH
        with self._api.client(self._api.operator_key) as client:
            key = client.operator.create_key(uid, stage, 1)
        with self._api.client(key) as client:
            self._jobs.current = job = Job(client, 0, files[stage], seed)
            try:
                job.run()
            except JobKilledError:
                self.deaths[stage] += 1
            except PermanentError as error:
                if error.code not in LOST:
                    raise

    def _new_file(self, name: str) -> Path:
        """Return a clip with bytes of its own: a box that players skip."""
        path = self._folder / f"{name}.mp4"
        padding = os.urandom(64)
        box = struct.pack(">I4s", len(padding) + 8, b"free") + padding
        path.write_bytes(self._clip.read_bytes() + box)
        return path


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of 1 s at 30 pictures per second."""
    return clipmaker.clip(tmp_path_factory.mktemp("clips") / "tiny.mp4", seconds=1, size="64x36")


def _create_owner(api: KilledApi) -> None:
    with api.running(), api.client(api.admin_key) as client:
        client.admin.put_tier(TierView(name=OWNER))
        client.admin.put_user(UserView(name=OWNER, tier=OWNER))


@pytest.mark.parametrize(
    "database_url",
    ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)],
    indirect=True,
)
def test_compilations_while_api_and_jobs_are_killed(
    tmp_path: Path, database_url: str, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """0 lost or double usage rows, 0 lost bytes, 0 stuck."""
    env = {"CLIPMILL_ALLOW_ANY_HOST": "true", "CLIPMILL_LEASE_SECONDS": str(LEASE_S)}
    # No clip is to blame for its killed pods.
    env |= {"CLIPMILL_FETCH_ATTEMPTS": "500", "CLIPMILL_FETCH_BACKOFF_SECONDS": "0"}
    api = KilledApi(tmp_path, database_url, **env)
    _create_owner(api)
    (tmp_path / "files").mkdir()
    operator, done = Operator(api, clip, tmp_path / "files"), threading.Event()
    monkeypatch.setattr(fault_points, "_inject", operator.die_at_steps_of_uploads)
    with ThreadPoolExecutor(1) as killer:
        killing = killer.submit(api.run_until, done, random.Random(SEED), MOST_REQUESTS)
        try:
            with ThreadPoolExecutor(WORKERS) as pool:
                states = list(pool.map(operator.compile, range(COUNT)))
        finally:
            done.set()
        killing.result()
    print(f"compilations: {COUNT}, kills of the API: {api.kills}, of jobs: {dict(operator.deaths)}")
    assert api.kills >= 1
    assert states == [CompilationState.SUCCEEDED] * COUNT
    _assert_nothing_lost(api)


def _assert_nothing_lost(api: KilledApi) -> None:
    ctx = api.stored()
    try:
        usage = Harness.rows_of(ctx, "SELECT seconds, count(*) AS n FROM render_usage GROUP BY 1")
        assert usage == [{"seconds": 1, "n": COUNT}]
        window = Harness.rows_of(ctx, "SELECT sum(used_s) AS n FROM render_windows")
        assert window == [{"n": COUNT}]
        for sql in (
            "SELECT id FROM uploads WHERE NOT complete",
            "SELECT seconds FROM reservations WHERE state = 'open'",
            "SELECT state FROM revisions WHERE state <> 'Succeeded'",
        ):
            assert Harness.rows_of(ctx, sql) == [], sql
        media = Harness.rows_of(ctx, "SELECT count(*) AS n FROM media")
        assert media == [{"n": 2 * COUNT}]
        assert ctx.spool.ids() == []
        assert check_store(ctx).missing.count == 0
        assert_bytes_stored(ctx)
        assert_quota_adds_up(ctx)
    finally:
        ctx.db.close()
