"""Read the examples of docs/queueing.md."""

from __future__ import annotations

import re
from typing import Any

import yaml

from cluster import names

EXAMPLE = re.compile(r"<!-- ([a-z]+) -->\n```yaml\n(.*?)```", re.DOTALL)


def example(name: str) -> list[dict[str, Any]]:
    """Return the documents of the example below this comment."""
    page = (names.ROOT / "docs/queueing.md").read_text()
    return list(yaml.safe_load_all(dict(EXAMPLE.findall(page))[name]))
