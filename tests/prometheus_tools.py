"""Run promtool and Prometheus on the rules that the chart renders."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from chart_objects import of_kind
from webhook_receiver import wait_until

MONITORED = "in front and watched over"
READY_S = 60


def find_binary(name: str) -> str:
    """Return the path of a program of the package `prometheus`, or skip the test."""
    binary = shutil.which(name)
    if binary is None:
        pytest.skip(f"no {name}: install Debian's package `prometheus`")
    return binary


@lru_cache
def rule_groups() -> list[dict[str, Any]]:
    """Return the groups of the chart's PrometheusRule."""
    (rule,) = of_kind(MONITORED, "PrometheusRule")
    groups: list[dict[str, Any]] = rule["spec"]["groups"]
    return groups


def write_rules(folder: Path) -> Path:
    """Write the rules in the format of Prometheus and return their path."""
    path = folder / "rules.yaml"
    path.write_text(yaml.safe_dump({"groups": rule_groups()}))
    return path


def promtool(*words: str) -> subprocess.CompletedProcess[str]:
    """Run promtool."""
    command = [find_binary("promtool"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


class Prometheus:
    """A running Prometheus that scrapes four times a second."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str, **query: str) -> Any:
        """Return the data of a call of its API, or None while it does not answer."""
        url = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                return json.load(response)["data"]
        except OSError:
            return None

    def values(self, query: str) -> dict[str, float]:
        """Return the values of a query by the JSON of their labels."""
        data = self.get("query", query=query)
        samples = data["result"] if data else []
        return {
            json.dumps(sample["metric"], sort_keys=True): float(sample["value"][1])
            for sample in samples
        }


@contextmanager
def prometheus(folder: Path, targets: Mapping[str, str]) -> Iterator[Prometheus]:
    """Run a Prometheus with the chart's rules on a free port of the loopback.

    Args:
        folder: For its configuration and data.
        targets: host:port by job.
    """
    jobs = [
        {
            "job_name": job,
            "static_configs": [{"targets": [target], "labels": {"namespace": "clipmill"}}],
        }
        for job, target in targets.items()
    ]
    config = {
        "global": {"scrape_interval": "250ms", "scrape_timeout": "250ms"}
        | {"evaluation_interval": "250ms"},
        "rule_files": [str(write_rules(folder))],
        "scrape_configs": jobs,
    }
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config))
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    options = {
        "config.file": folder / "prometheus.yaml",
        "storage.tsdb.path": folder / "data",
        "web.listen-address": address,
    }
    command = [find_binary("prometheus"), *(f"--{key}={value}" for key, value in options.items())]
    with (folder / "prometheus.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        server = Prometheus(f"http://{address}")
        wait_until(lambda: server.get("targets"), READY_S)
        yield server
    finally:
        process.terminate()
        process.wait(timeout=20)
