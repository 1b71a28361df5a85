"""docs/api.md is true: its example runs, and its problem codes and metrics are complete."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

from harness import Harness

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/api.md").read_text()
PROBLEM = re.compile(r"(?:ApiProblem|problem_response)\(\s*(\d{3}),\s*\"([A-Za-z]+)\"")
# A code that this test could not read.
CODE_BY_NAME = re.compile(r"ApiProblem\(\s*\d{3},\s*[A-Z_]+,")
MEDIA_ERROR = re.compile(r"MediaError\(\s*\"([A-Za-z]+)\"")


def test_the_example_runs(
    api: Harness, two_seconds: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The Python example runs against an API."""
    owner, user = api.user()
    example = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0]
    names = {"URL": api.url, "KEY": api.admin.create_key(owner), "CLIP": str(two_seconds)}
    exec(compile(example, "docs/api.md", "exec"), names)
    assert capsys.readouterr().out.startswith("60 frames, 2 s of the quota\nRendering ")
    assert [row.name for row in user.compilations().items] == ["by-hand"]


def test_every_code_is_in_the_table() -> None:
    """The table lists each code that the API raises with its status, and no other code."""
    raised: dict[str, set[str]] = defaultdict(set)
    for path in (ROOT / "api/clipmill_api").rglob("*.py"):
        assert CODE_BY_NAME.search(path.read_text()) is None, path
        for status, code in PROBLEM.findall(path.read_text()):
            raised[status].add(code)
    for path in (ROOT / "core/clipmill_probe").rglob("*.py"):
        raised["422"] |= set(MEDIA_ERROR.findall(path.read_text()))
    raised["422"] -= {"TooLarge"}  # a MediaError too, which the API answers with 413
    raised["400"].add("BadRequest")
    raised["405"].add("MethodNotAllowed")
    rows = re.findall(r"^\| (\d{3}) \| (.*) \|$", PAGE, re.MULTILINE)
    documented = {status: set(re.findall(r"`([A-Z][A-Za-z]+)`", text)) for status, text in rows}
    documented["503"].discard("Retry-After")
    assert documented == dict(raised)


def test_metrics_of_the_page_exist(api: Harness) -> None:
    """Each metric of the page is served."""
    served = api.client("none").connection.request_once("GET", "/metrics").text
    names = re.findall(r"`(clipmill_\w+)\{", PAGE)
    assert len(names) == 10
    names += re.findall(r"`(clipmill_\w+(?:seconds|bytes))`", PAGE)
    # With HTTPS only: test_tls.py.
    names.remove("clipmill_certificate_expiry_timestamp_seconds")
    assert len(names) == 14
    assert [name for name in names if name not in served] == []
