"""benchmarks/README.md names only commands that are there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_commands_exist() -> None:
    """Each `python -m benchmarks.X` is a module."""
    page = (ROOT / "benchmarks/README.md").read_text()
    named = set(re.findall(r"`python -m (benchmarks\.\w+)`", page))
    assert {"benchmarks.api", "benchmarks.render"} <= named
    assert [name for name in named if not (ROOT / f"{name.replace('.', '/')}.py").exists()] == []
