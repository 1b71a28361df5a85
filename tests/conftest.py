"""The last line of every run of tests: what was skipped here, and how to enable it."""

from __future__ import annotations

import pytest

from last_line import last_line


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Say it after all that pytest says."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or config.option.collectonly:
        return
    skipped = [report.longrepr for report in reporter.stats.get("skipped", [])]
    reporter.write_line(last_line([str(at[2]) for at in skipped if isinstance(at, tuple)]))
