"""A real Prometheus scrapes a served API and the operator's metrics, and evaluates the rules."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from prometheus_client import start_http_server

import pods
from chart_objects import named
from clipmill.protocol import FailedTasks, Stage
from clipmill_api.http.problem_details import ApiProblem
from clipmill_client.errors import ClientError
from clipmill_operator import metrics as operator_metrics
from harness import Harness, running
from prometheus_tools import MONITORED, Prometheus, prometheus
from webhook_receiver import wait_until

# Panels that count events by their kind: no series before the first one.
WITHOUT_EVENTS = {
    "Deleted blobs per hour",
    "Failures per minute",
    "Findings of the daily check",
    "Refusals per minute",
    "Requests to Kubernetes per second",
}
ERRORS = 'namespace_job:clipmill_http_errors:ratio_rate5m{job="clipmill-api"}'


@pytest.fixture(scope="module")
def own_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """An API of this module, so that its counters are those of these tests."""
    state = tmp_path_factory.mktemp("state")
    with running(state, allow_any_host=True) as harness:
        yield harness


@pytest.fixture(scope="module")
def server(own_api: Harness, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus that scrapes both."""
    assert operator_metrics.RUNNING
    http, thread = start_http_server(0, addr="127.0.0.1")
    targets = {
        "clipmill-api": own_api.url.removeprefix("http://"),
        "clipmill-operator": f"127.0.0.1:{http.server_port}",
    }
    with prometheus(tmp_path_factory.mktemp("prometheus"), targets) as server:
        yield server
    http.shutdown()
    thread.join()
    http.server_close()


def firing(server: Prometheus) -> set[str]:
    """Return the names of the firing alerts."""
    found = server.values('ALERTS{alertstate="firing"}')
    return {json.loads(labels)["alertname"] for labels in found}


def health_of_rules(server: Prometheus) -> list[str]:
    """Return the health of each rule."""
    groups = server.get("rules")["groups"]
    return [rule["health"] for group in groups for rule in group["rules"]]


def test_both_targets_are_up(server: Prometheus) -> None:
    """Each sample is taken, and no rule fails to evaluate."""
    wait_until(lambda: sum(server.values("up").values()) == 2)
    targets = server.get("targets")["activeTargets"]
    assert [target["lastError"] for target in targets] == ["", ""]
    wait_until(lambda: server.values("count(clipmill_compilations)") == {"{}": 7})
    wait_until(lambda: health_of_rules(server) == ["ok"] * 13)
    assert firing(server) == set()


def test_an_alert_fires_on_a_real_failure(own_api: Harness, server: Prometheus) -> None:
    """A pod that is not isolated, reported to the API as the operator does."""
    wait_until(lambda: server.values("clipmill_isolation_failures_total"))
    owner, _ = own_api.user()
    uid, _ = own_api.register(owner, {"clips": [{"url": pods.url()}]})
    tasks = FailedTasks(
        stage=Stage.FETCH, generation=1, indexes=[0], message="canary", reason="NotIsolated"
    )
    own_api.operator.report_failed_tasks(uid, tasks)
    wait_until(lambda: firing(server) == {"ClipmillNotIsolated"})
    (alert,) = server.get("alerts")["alerts"]
    assert alert["labels"]["severity"] == "critical"
    assert "NotIsolated" in alert["annotations"]["summary"]


def test_the_recording_rule_follows_real_requests(own_api: Harness, server: Prometheus) -> None:
    """Requests that are answered with 503 raise the recorded error rate above 0."""
    wait_until(lambda: set(server.values(ERRORS).values()) == {0.0})

    @own_api.app.get("/broken")
    def broken() -> None:
        raise ApiProblem(503, "StorageFailed", "for the test")

    def fail_once() -> bool:
        with pytest.raises(ClientError):
            own_api.client("none").connection.request_once("GET", "/broken")
        return any(value > 0 for value in server.values(ERRORS).values())

    wait_until(fail_once)


def test_every_panel_has_data(server: Prometheus) -> None:
    """Each query of the dashboard returns series, but for events that did not happen here."""
    config = named(MONITORED, "ConfigMap", "clipmill-dashboard")
    panels = json.loads(config["data"]["clipmill.json"])["panels"]
    queries = {
        target["expr"].replace("$namespace", "clipmill"): panel["title"]
        for panel in panels
        for target in panel.get("targets", [])
    }

    def empty() -> set[str]:
        return {title for query, title in queries.items() if not server.values(query)}

    wait_until(lambda: empty() <= WITHOUT_EVENTS)
