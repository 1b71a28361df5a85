"""Traces at a collector that decodes OTLP: one for each generation, by API, operator and jobs."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

import clipmaker
from clipmill.protocol import MAX_SPANS, SpanName, Stage, TaskSpan, TaskSpans
from clipmill_api.http.authentication import new_key
from clipmill_api.settings import Settings
from clipmill_client import PermanentError
from clipmill_client.span_calls import SpanCalls
from commandline import manifest_file, started
from controlplane import ControlPlane
from harness import Harness, library_clip, new_manifest, running
from operator_runs import play_assemble, play_fetch, url_spec, watched_namespace
from pods import assemble, url
from sources_server import serve_sources

pytest.importorskip("opentelemetry.exporter", reason="needs the extra `tracing`: ./run setup")
from span_collector import Collector, collecting

CALLER = f"00-{'ab' * 16}-{'cd' * 8}-01"


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    """A collector for the APIs of this module."""
    with collecting() as collector:
        yield collector


@pytest.fixture
def traced(collector: Collector, tmp_path: Path) -> Iterator[Harness]:
    """An API that exports traces, with a default owner. What it exports is complete at its end."""
    collector.spans.clear()
    owner = {"default_owner": "default", "default_owner_key": new_key("user")}
    options = {"otlp_endpoint": collector.url, "allow_any_host": True, **owner}
    with running(tmp_path / "state", **options) as harness:
        yield harness


def test_a_local_render_is_one_trace(tmp_path: Path) -> None:
    """From the plan to the result: each task with its steps, below the compilation."""
    clipmaker.clip(tmp_path / "a.mp4", seconds=1)
    clipmaker.clip(tmp_path / "b.mp4", seconds=1)
    with serve_sources(tmp_path) as web, collecting() as collector:
        clips = [{"url": web.url("a.mp4")}, {"url": "b.mp4"}]
        manifest = manifest_file(tmp_path / "m.yaml", clips)
        words = ("render", manifest, "-o", tmp_path / "out", "--state", tmp_path / "state")
        env = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
        allow = ("--allow-private", web.address)
        with started(*words, *allow, env=env, stderr=subprocess.PIPE) as command:
            _, err = command.communicate(timeout=120)
    assert command.returncode == 0, err
    root = collector.one("compilation")
    assert {span.trace_id for span in collector.spans} == {root.trace_id}
    assert (root.service, root.parent_id) == ("clipmill-api", "")
    assert root.attributes["clipmill.state"] == "Succeeded"
    parents = {(span.service, collector.parent(span), span.name) for span in collector.spans}
    assert {
        ("clipmill-api", "compilation", "plan"),
        ("clipmill-api", "compilation", "inspect upload"),
        ("clipmill-job", "compilation", "fetch task"),
        ("clipmill-job", "fetch task", "fetch"),
        ("clipmill-job", "fetch task", "probe"),
        ("clipmill-job", "fetch task", "upload"),
        ("clipmill-job", "compilation", "assemble task"),
        ("clipmill-job", "assemble task", "assemble"),
        ("clipmill-job", "assemble", "upload"),
    } <= parents
    rendered = {parent for _, parent, name in parents if name == "render segment"}
    assert rendered <= {"assemble task", "render task"}
    assert rendered
    for span in collector.spans:
        assert root.start_ns <= span.start_ns <= span.end_ns
        assert not span.failed


def test_a_trace_continues_that_of_the_caller(
    traced: Harness, collector: Collector, two_seconds: Path
) -> None:
    """The compilation is below the caller's span, and the assignment names it."""
    owner, user = traced.user()
    media_id = library_clip(user, two_seconds).id
    body = new_manifest(media_id).model_dump_json(by_alias=True, exclude_unset=True)
    key = traced.admin.create_key(owner)
    headers = {"Authorization": f"Bearer {key}", "traceparent": CALLER}
    headers["Content-Type"] = "application/json"
    reply = httpx.post(f"{traced.url}/api/compilations", content=body, headers=headers, timeout=60)
    assert reply.status_code == 201, reply.text
    uid = traced.uid_of(reply.json()["id"])
    plan = traced.operator.plan(uid)
    assert (plan.traceparent or "").startswith(f"00-{'ab' * 16}-")
    assemble(traced.job(uid, Stage.ASSEMBLE), two_seconds)
    traced.ctx.traces.close()
    root = collector.one("compilation")
    assert (root.trace_id, root.parent_id) == ("ab" * 16, "cd" * 8)
    assert f"00-{root.trace_id}-{root.span_id}-01" == plan.traceparent


def test_spans_of_a_pod_are_bounded(traced: Harness, collector: Collector) -> None:
    """It names steps and lengths; once for each lease, below its own task, in the past only."""
    owner, _ = traced.user()
    uid, plan = traced.register(owner, {"clips": [{"url": url()}]})
    job = traced.job(uid, Stage.FETCH)
    assignment = job.claim(0, "pod")
    assert assignment.traceparent == plan.traceparent
    fetch = TaskSpan(name=SpanName.FETCH, start_ms=10, duration_ms=10**7, detail="a\x1b[31m")
    probe = TaskSpan(name=SpanName.PROBE, parent=0, start_ms=10**8, duration_ms=5, failed=True)
    report = TaskSpans(epoch=1, elapsed_ms=10**8, spans=[fetch, probe])
    for _ in range(2):
        SpanCalls(job.connection).report(report)
    with pytest.raises(PermanentError) as foreign:
        SpanCalls(job.connection).report(report.model_copy(update={"index": 1}))
    assert foreign.value.status == 403
    for spans in ([probe], [fetch] * (MAX_SPANS + 1)):
        with pytest.raises(PermanentError) as refused:
            SpanCalls(job.connection).report(
                TaskSpans.model_construct(epoch=1, elapsed_ms=1, spans=spans)
            )
        assert refused.value.status == 422
    traced.ctx.traces.close()
    task, step = collector.one("fetch task"), collector.one("fetch")
    assert collector.parent(collector.one("probe")) == "fetch"
    assert collector.parent(step) == "fetch task"
    assert f"00-{task.trace_id}-{task.parent_id}-01" == plan.traceparent
    created_at = datetime.fromisoformat(plan_time(traced))
    assert task.start_ns // 1000 >= int(created_at.replace(tzinfo=UTC).timestamp() * 10**6) - 1
    assert all(span.end_ns <= task.end_ns for span in (step, collector.one("probe")))
    assert collector.one("probe").failed
    assert step.attributes == {"clipmill.detail": "a [31m"}


def plan_time(api: Harness) -> str:
    """Return when the only generation was created."""
    return str(api.rows("SELECT created_at FROM revisions")[0]["created_at"])


def test_the_operator_adds_its_spans(
    plane: ControlPlane, traced: Harness, collector: Collector, tmp_path: Path, two_seconds: Path
) -> None:
    """Registration and created Jobs are in the trace; its log has the id of the trace."""
    cluster = watched_namespace(plane, traced, tmp_path)
    cluster.more["CLIPMILL_OTLP_ENDPOINT"] = collector.url
    cluster.more["OTEL_BSP_SCHEDULE_DELAY"] = "200"
    cluster.more["CLIPMILL_LOG_FORMAT"] = "json"
    with cluster.operator():
        cluster.submit(url_spec(url()))
        play_fetch(cluster, two_seconds)
        play_assemble(cluster, two_seconds)
        cluster.is_true("Complete")
    traced.ctx.traces.close()
    root = collector.one("compilation")
    own = [span for span in collector.spans if span.service == "clipmill-operator"]
    assert {span.name for span in own} == {"register", "CreateJob"}
    assert {(span.trace_id, span.parent_id) for span in own} == {(root.trace_id, root.span_id)}
    lines = (tmp_path / "operator.log").read_text().splitlines()
    logged = [json.loads(line) for line in lines if line.startswith("{")]
    assert {entry.get("trace_id") for entry in logged if "CreateJob" in entry["message"]} == {
        root.trace_id
    }


def test_nothing_is_traced_without_a_collector(api: Harness) -> None:
    """No context is stored or given to pods, and a report is ignored."""
    owner, _ = api.user()
    uid, plan = api.register(owner, {"clips": [{"url": url()}]})
    job = api.job(uid, Stage.FETCH)
    assignment = job.claim(0, "pod")
    SpanCalls(job.connection).report(TaskSpans(epoch=1, elapsed_ms=1))
    rows = api.rows(
        "SELECT traceparent FROM revisions WHERE compilation_id = :c", c=plan.compilation_id
    )
    assert (rows, plan.traceparent, assignment.traceparent) == ([{"traceparent": None}], None, None)


@pytest.mark.parametrize("variable", ["CLIPMILL_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"])
def test_the_setting(variable: str, tmp_path: Path) -> None:
    """Ours or OpenTelemetry's; one that is no URL is refused at the start."""
    keys = {"CLIPMILL_ADMIN_KEY": new_key("admin"), "CLIPMILL_OPERATOR_KEY": new_key("operator")}
    environ = {"CLIPMILL_STATE": str(tmp_path), **keys}
    settings = Settings.from_environ({**environ, variable: "https://collector:4318"})
    assert settings.otlp_endpoint == "https://collector:4318"
    with pytest.raises(ValueError, match="collector:4318"):
        Settings.from_environ({**environ, variable: "collector:4318"})
