"""The stand-ins as a program of their own: what a show of a cluster's tests queries."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from discovery import assignment, discover, query

TESTS = Path(__file__).parents[1]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The URL of a running program and what it prints of itself. It needs the standard library."""
    (tmp_path / "a.mp4").write_bytes(b"first")
    (tmp_path / "b.mp4").write_bytes(b"second")
    argv = [sys.executable, "-S", "-m", "fake_sources", "--port", "0", "--media", str(tmp_path)]
    environ = {"PYTHONPATH": str(TESTS), "PATH": os.environ["PATH"]}
    with subprocess.Popen(argv, env=environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url, _, facts = process.stdout.readline().partition(" ")
        yield url, json.loads(facts)
        process.kill()


def test_all_sources_of_the_program(
    served: tuple[str, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Each has clips of the last hours, none of the future, and all are files of this server."""
    url, facts = served
    now = datetime.now(UTC)
    sources: list[dict[str, Any]] = [
        {"twitch": {"games": facts["games"], "credentials": "t", "most": 100}},
        {"twitch": {"broadcasters": facts["broadcasters"], "credentials": "t", "most": 100}},
        {"discord": {"channel": facts["channel"], "credentials": "d", "minimumReactions": 5}},
        {"feed": {"url": f"{url}/feed.xml"}},
        {"list": {"url": f"{url}/list.html"}},
    ]
    queries = [query(source, index) for index, source in enumerate(sources)]
    window = {"started_after": now - timedelta(hours=24), "ended_before": now}
    result = discover(assignment(queries, url, **window), tmp_path_factory.mktemp("scratch"))
    assert [report.reason for report in result.sources] == [""] * 5
    assert [report.returned for report in result.sources] == [100, 100, 500, 50, 30]
    assert all(c.url.startswith(f"{url}/media/") for c in result.candidates)
    assert all(c.created_at <= now for c in result.candidates if c.created_at)
    assert {httpx.get(c.url).content for c in result.candidates[:20]} == {b"first", b"second"}
    counts = httpx.get(f"{url}/requests").json()
    assert counts["/oauth2/token"] == 2
