"""benchmarks/README.md names existing commands only."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_commands_exist() -> None:
    """Each `python -m benchmarks.X` is a module."""
    page = (ROOT / "benchmarks/README.md").read_text()
    commands = set(re.findall(r"`python -m (benchmarks\.\w+)`", page))
    assert {"benchmarks.api", "benchmarks.render"} <= commands
    assert [name for name in commands if not (ROOT / f"{name.replace('.', '/')}.py").exists()] == []
