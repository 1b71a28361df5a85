"""docs/api.md is true: its example runs, its codes are all there are, its metrics exist."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

from harness import Harness

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/api.md").read_text()
RAISED = re.compile(r"(?:ApiProblem|reply)\(\s*(\d{3}),\s*\"([A-Za-z]+)\"")
VERDICT = re.compile(r"MediaError\(\s*\"([A-Za-z]+)\"")


def test_the_example_runs(
    api: Harness, two_seconds: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The Python example as it stands, against a running API."""
    owner, user = api.user()
    example = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0]
    names = {"URL": api.url, "KEY": api.admin.mint(owner), "CLIP": str(two_seconds)}
    exec(compile(example, "docs/api.md", "exec"), names)
    assert capsys.readouterr().out.startswith("60 frames, 2 s of the quota\nRendering ")
    assert [row.name for row in user.compilations().items] == ["by-hand"]


def test_every_code_is_in_the_table() -> None:
    """Each code that the API raises stands beside its status, and no other does."""
    raised: dict[str, set[str]] = defaultdict(set)
    for path in (ROOT / "api/clipmill_api").rglob("*.py"):
        for status, code in RAISED.findall(path.read_text()):
            raised[status].add(code)
    for path in (ROOT / "core/clipmill_probe").rglob("*.py"):
        raised["422"] |= set(VERDICT.findall(path.read_text()))
    raised["422"] -= {"TooLarge"}  # also a verdict; its status says what it was
    raised["400"].add("BadRequest")
    raised["405"].add("MethodNotAllowed")
    rows = re.findall(r"^\| (\d{3}) \| (.*) \|$", PAGE, re.MULTILINE)
    told = {status: set(re.findall(r"`([A-Z][A-Za-z]+)`", text)) for status, text in rows}
    told["503"].discard("Retry-After")
    assert told == dict(raised)


def test_metrics_of_the_page_exist(api: Harness) -> None:
    """Each metric named is served."""
    served = api.admin._wire.once("GET", "/metrics").text
    named = re.findall(r"`(clipmill_\w+)\{", PAGE)
    assert len(named) == 5
    assert [name for name in named if name not in served] == []
