"""Print which tests were skipped, and how to enable them, as the last line of every run."""

from __future__ import annotations

import pytest

from last_line import last_line


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Print the line after pytest's own output."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or config.option.collectonly:
        return
    skipped = [report.longrepr for report in reporter.stats.get("skipped", [])]
    reporter.write_line(last_line([str(place[2]) for place in skipped if isinstance(place, tuple)]))
