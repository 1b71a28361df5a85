"""Every metric of the alerts and of the dashboard is one that the API or the operator serves."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from prometheus_client import REGISTRY, Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from chart_objects import named
from clipmill_operator import metrics as operator_metrics
from harness import Harness
from prometheus_tools import MONITORED, promtool, rule_groups

# Of Prometheus itself, of cert-manager, and of an API with HTTPS.
OTHERS = {
    "up",
    "certmanager_certificate_expiration_timestamp_seconds",
    "clipmill_certificate_expiry_timestamp_seconds",
}
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
NAME = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)\{([^}]*)\}")


def dashboard() -> dict[str, Any]:
    """Return the dashboard of the chart's ConfigMap."""
    config = named(MONITORED, "ConfigMap", "clipmill-dashboard")
    assert config["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert config["metadata"]["annotations"] == {"grafana_folder": "Video"}
    loaded: dict[str, Any] = json.loads(config["data"]["clipmill.json"])
    return loaded


def panels() -> list[dict[str, Any]]:
    """Return the panels with a query."""
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def expressions() -> Iterator[str]:
    """Yield every PromQL expression."""
    for group in rule_groups():
        yield from (rule["expr"] for rule in group["rules"])
    for panel in panels():
        yield from (target["expr"] for target in panel["targets"])


def exposed(families: Iterable[Metric]) -> set[str]:
    """Return the names of the series of metric families."""
    return {
        family.name + suffix
        for family in families
        for suffix in SUFFIXES.get(family.type, ("_count", "_sum"))
    }


@pytest.fixture
def served(api: Harness) -> set[str]:
    """The names that a Prometheus finds at the API and at the operator."""
    assert operator_metrics.RUNNING
    texts = (
        api.client("none").connection.request_once("GET", "/metrics").text,
        generate_latest(REGISTRY).decode(),
    )
    families = (family for text in texts for family in text_string_to_metric_families(text))
    recorded = {
        rule["record"] for group in rule_groups() for rule in group["rules"] if "record" in rule
    }
    return exposed(families) | recorded | OTHERS


def test_every_metric_is_served(served: set[str]) -> None:
    """And every selector names the namespace, since a Prometheus scrapes other releases too."""
    found = [match for expression in expressions() for match in NAME.findall(expression)]
    assert len(found) > 40
    assert sorted({name for name, _ in found} - served) == []
    assert [name for name, labels in found if "namespace=" not in labels] == []


def test_the_panels_are_distinct_and_placed() -> None:
    """Each has its own id and title, a description, and a place that no other takes."""
    ids = [panel["id"] for panel in dashboard()["panels"]]
    assert len(set(ids)) == len(ids)
    assert all(panel["description"].endswith(".") for panel in panels())
    titles = [panel["title"] for panel in panels()]
    assert len(set(titles)) == len(titles) == 21
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not taken & cells, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells


def test_promtool_reads_the_queries(tmp_path: Any) -> None:
    """As recording rules, with a namespace in place of the variable."""
    rules = [
        {"record": f"panel:{number}", "expr": expression.replace("$namespace", "clipmill")}
        for number, expression in enumerate(expressions())
    ]
    path = tmp_path / "queries.json"
    path.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    done = promtool("check", "rules", str(path))
    assert f"SUCCESS: {len(rules)} rules found" in done.stdout, done.stderr
