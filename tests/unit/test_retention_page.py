"""docs/retention.md has a rule for every table."""

from __future__ import annotations

import re

import pytest

from clipmill_api.settings import Settings
from clipmill_api.tables import Base
from manifests import ROOT

PAGE = (ROOT / "docs/retention.md").read_text()
ROWS = re.findall(r"^\| `(\w+)` \|([^|]+)\|([^|]*)\|([^|]*)\|$", PAGE, re.MULTILINE)


def test_every_table_has_a_rule() -> None:
    """A new table without a rule fails here."""
    assert sorted(row[0] for row in ROWS) == sorted(Base.metadata.tables)


@pytest.mark.parametrize(("table", "rule", "settings", "indexes"), ROWS, ids=[r[0] for r in ROWS])
def test_settings_and_indexes_exist(table: str, rule: str, settings: str, indexes: str) -> None:
    """A rule without a setting says for how long rows are kept."""
    assert rule.strip()
    assert set(re.findall(r"`(\w+)`", settings)) <= set(Settings.model_fields)
    existing = {str(index.name) for t in Base.metadata.tables.values() for index in t.indexes}
    assert set(re.findall(r"`(\w+)`", indexes)) <= existing
