"""The chart's PrometheusRule by promtool: valid, and each alert fires on its series only."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from chart_objects import template
from examples import ROOT
from prometheus_tools import promtool, rule_groups, write_rules

API = '{namespace="clipmill",job="clipmill-api",pod="%s"%s}'
REQUESTS = "clipmill_http_requests_total"
GIB = 2**30


def api(metric: str, values: str, labels: str = "", pod: str = "a") -> tuple[str, str]:
    """Return a series of an API pod, in the notation of promtool."""
    return metric + API % (pod, labels and f",{labels}"), values


def of_operator(metric: str, values: str) -> tuple[str, str]:
    """Return a series of the operator."""
    return f'{metric}{{namespace="clipmill",job="clipmill-operator"}}', values


def disk(free: str) -> tuple[tuple[str, str], ...]:
    """Return free space and a floor of 1 GiB."""
    return (
        api("clipmill_disk_free_bytes", free),
        api("clipmill_disk_floor_bytes", f"{GIB}x120"),
    )


UP = (api("up", "1x120"), of_operator("up", "1x120"))
EXPIRY = "certmanager_certificate_expiration_timestamp_seconds"
DAY_S = 86400
# Alert, labels beyond alertname and severity, series on which it fires, series on which not.
# One sample a minute; asked after 90 minutes.
CASES: dict[str, tuple[dict[str, str], Any, Any]] = {
    "ClipmillApiDown": (
        {},
        (api("up", "1x10 0x110"), of_operator("up", "1x120")),
        (*UP, api("up", "0x120", pod="b")),
    ),
    "ClipmillOperatorDown": (
        {},
        (api("up", "1x120"),),
        (api("up", "1x120"), of_operator("up", "1x80 0x3 1x37")),
    ),
    "ClipmillErrorRate": (
        {"namespace": "clipmill", "job": "clipmill-api"},
        (api(REQUESTS, "0+9x120", 'status="200"'), api(REQUESTS, "0+1x120", 'status="503"')),
        (api(REQUESTS, "0+99x120", 'status="200"'), api(REQUESTS, "0+1x120", 'status="503"')),
    ),
    "ClipmillQueueAge": (
        {},
        (api("clipmill_queue_oldest_seconds", "0+60x120"),),
        (api("clipmill_queue_oldest_seconds", "0+60x29 0+60x29 0+60x29 0+60x29"),),
    ),
    "ClipmillStuck": (
        {},
        (api("clipmill_progress_oldest_seconds", "0+60x120"),),
        (api("clipmill_progress_oldest_seconds", "0+60x59 0+60x59"),),
    ),
    "ClipmillNotIsolated": (
        {"reason": "NotIsolated"},
        (api("clipmill_isolation_failures_total", "0x80 1x40", 'reason="NotIsolated"'),),
        (api("clipmill_isolation_failures_total", "0x10 1x110", 'reason="NotIsolated"'),),
    ),
    "ClipmillDiskFull": ({}, disk(f"{GIB - 1}x120"), disk(f"{GIB}x120")),
    "ClipmillDiskLow": ({}, disk(f"{3 * GIB - 1}x120"), disk(f"{3 * GIB}x120")),
    "ClipmillStoreDamaged": (
        {"finding": "missing"},
        (api("clipmill_store_findings", "2x120", 'finding="missing"'),),
        (api("clipmill_store_findings", "2x120", 'finding="unknown"'),),
    ),
    "ClipmillWebhooksFail": (
        {},
        (api("clipmill_webhooks", "1x120", 'health="failing"'),),
        (api("clipmill_webhooks", "1x120", 'health="disabled"'),),
    ),
    "ClipmillReconcileErrors": (
        {},
        (of_operator("clipmill_operator_reconcile_errors_total", "0+6x120"),),
        (of_operator("clipmill_operator_reconcile_errors_total", "0+1x120"),),
    ),
    "ClipmillCertificateExpires": (
        {"name": "web"},
        ((f'{EXPIRY}{{exported_namespace="clipmill",name="web"}}', f"{14 * DAY_S}x120"),),
        (
            (f'{EXPIRY}{{namespace="clipmill",name="web"}}', f"{15 * DAY_S}x120"),
            (f'{EXPIRY}{{namespace="other",name="web"}}', f"{DAY_S}x120"),
        ),
    ),
}


OWN_EXPIRY = "clipmill_certificate_expiry_timestamp_seconds"


def test_the_api_reports_its_own_certificate(tmp_path: Path) -> None:
    """Without cert-manager too: less than 14 days are left of the one that the API serves."""
    labels = {"name": "clipmill-api"}
    firing = _firing("ClipmillCertificateExpires", labels, "warning")
    cases = {
        "rule_files": [str(write_rules(tmp_path))],
        "tests": [
            _test("ClipmillCertificateExpires", (api(OWN_EXPIRY, f"{14 * DAY_S}x120"),), [firing]),
            _test("ClipmillCertificateExpires", (api(OWN_EXPIRY, f"{15 * DAY_S}x120"),), []),
        ],
    }
    (tmp_path / "cases.yaml").write_text(yaml.safe_dump(cases))
    done = promtool("test", "rules", str(tmp_path / "cases.yaml"))
    assert done.returncode == 0, done.stdout + done.stderr


def alerts() -> dict[str, dict[str, Any]]:
    """Return the chart's alerts by name."""
    return {
        rule["alert"]: rule for group in rule_groups() for rule in group["rules"] if "alert" in rule
    }


def test_promtool_accepts_the_rules(tmp_path: Path) -> None:
    """`promtool check rules` finds every rule and no mistake."""
    done = promtool("check", "rules", str(write_rules(tmp_path)))
    assert done.returncode == 0, done.stdout + done.stderr
    count = sum(len(group["rules"]) for group in rule_groups())
    assert f"SUCCESS: {count} rules found" in done.stdout


def test_every_alert_has_a_case() -> None:
    """And no case is of an alert that does not exist."""
    assert alerts().keys() == CASES.keys()


def _firing(name: str, labels: dict[str, str], severity: str) -> dict[str, Any]:
    labels = {"alertname": name, "alertstate": "firing", "severity": severity, **labels}
    inner = ", ".join(f'{key}="{value}"' for key, value in labels.items())
    return {"labels": f"ALERTS{{{inner}}}", "value": 1}


def _test(name: str, series: Any, samples: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "interval": "1m",
        "input_series": [{"series": key, "values": values} for key, values in series],
        "promql_expr_test": [
            {
                "expr": f'ALERTS{{alertname="{name}",alertstate="firing"}}',
                "eval_time": "90m",
                "exp_samples": samples,
            }
        ],
    }


@pytest.mark.parametrize("name", CASES)
def test_an_alert_fires_on_its_series_only(name: str, tmp_path: Path) -> None:
    """`promtool test rules`: the series fire it with its labels; those at the limit do not."""
    labels, firing, quiet = CASES[name]
    severity = alerts()[name]["labels"]["severity"]
    cases = {
        "rule_files": [str(write_rules(tmp_path))],
        "tests": [
            _test(name, firing, [_firing(name, labels, severity)]),
            _test(name, quiet, []),
        ],
    }
    (tmp_path / "cases.yaml").write_text(yaml.safe_dump(cases))
    done = promtool("test", "rules", str(tmp_path / "cases.yaml"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_page_describes_every_alert() -> None:
    """docs/monitoring.md has a heading for each, to which its runbook points."""
    page = (ROOT / "docs/monitoring.md").read_text()
    assert re.findall(r"^### (Clipmill\w+)$", page, re.MULTILINE) == list(alerts())
    for name, alert in alerts().items():
        assert alert["annotations"]["runbook"] == f"docs/monitoring.md#{name.lower()}"
        assert alert["annotations"]["summary"].endswith(".")


def test_the_example_of_the_page_creates_what_its_table_says() -> None:
    """The settings of docs/monitoring.md, rendered by helm."""
    page = (ROOT / "docs/monitoring.md").read_text()
    settings = re.findall(r"--set (\S+)", page)
    assert len(settings) == 3
    done = template(*settings)
    assert done.returncode == 0, done.stderr
    rendered = [item["kind"] for item in yaml.safe_load_all(done.stdout) if item]
    kinds = ("ServiceMonitor", "PrometheusRule", "ConfigMap")
    assert [rendered.count(kind) for kind in kinds] == [2, 1, 1]
