"""An API process with CLIPMILL_LOG_FORMAT=json: each line is an object with its ids."""

from __future__ import annotations

import json
import subprocess
import uuid
from contextlib import closing
from pathlib import Path

import pods
from api_process import COMMAND, environment, free_port, status_of
from clipmill.protocol import Registration, Stage, TaskFailure, TaskResult, TierView, UserView
from clipmill.spec import CompilationSpec
from clipmill_api.settings import Settings
from clipmill_client.client import Client
from harness import SMALL


def fail_a_fetch(url: str, env: dict[str, str]) -> tuple[str, str, str]:
    """Play a job whose check of the isolation fails. Return key, uid and compilation id."""
    with closing(Client(url, env["CLIPMILL_ADMIN_KEY"])) as client:
        client.admin.put_tier(TierView(name="free"))
        client.admin.put_user(UserView(name="ada", tier="free"))
    spec = CompilationSpec.model_validate({"outputs": [SMALL], "clips": [{"url": pods.url()}]})
    uid = uuid.uuid4().hex
    registration = Registration(
        namespace="default", name="test", generation=1, owner="ada", spec=spec
    )
    with closing(Client(url, env["CLIPMILL_OPERATOR_KEY"])) as client:
        plan = client.operator.register(uid, registration)
        key = client.operator.create_key(uid, Stage.FETCH, 1)
    failure = TaskFailure(code="NotIsolated", message="canary", permanent=True)
    with closing(Client(url, key)) as job:
        assignment = job.claim(0, "pod-a")
        job.result(TaskResult(index=0, epoch=assignment.epoch, failure=failure))
    return key, uid, str(plan.compilation_id)


def test_every_line_is_an_object_with_its_ids(tmp_path: Path) -> None:
    """Requests, the claim of a task and the end of a generation; no key is in them."""
    port = free_port()
    more = {"CLIPMILL_LOG_FORMAT": "json", "CLIPMILL_ALLOW_ANY_HOST": "true"}
    env = environment(tmp_path / "state", port, **more)
    process = subprocess.Popen(COMMAND, env=env, stderr=subprocess.PIPE, text=True)
    try:
        assert status_of(port, "/readyz") == 200
        key, uid, compilation = fail_a_fetch(f"http://127.0.0.1:{port}", env)
    finally:
        process.terminate()
        _, text = process.communicate(timeout=30)
    entries = [json.loads(line) for line in text.splitlines()]
    by_event = {entry["message"].partition("=")[0]: entry for entry in entries}
    ids = {"compilation": compilation, "uid": uid, "generation": 1}
    claimed = {**ids, "stage": "fetch", "index": 0, "epoch": 1, "level": "INFO"}
    assert claimed.items() <= by_event["task claimed compilation"].items()
    ended = {**ids, "state": "Failed", "reason": "NotIsolated"}
    assert ended.items() <= by_event["generation ended compilation"].items()
    requests = [entry for entry in entries if entry["logger"] == "uvicorn.access"]
    assert any("PUT /api/operator/compilations/" in entry["message"] for entry in requests)
    assert key not in text
    assert env["CLIPMILL_ADMIN_KEY"] not in text


def test_text_is_the_default(tmp_path: Path) -> None:
    """As before."""
    environ = environment(tmp_path, free_port())
    assert Settings.from_environ(environ).log_format == "text"
