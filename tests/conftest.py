"""Collect garbage where it could fail another test; print which tests were skipped at the end."""

from __future__ import annotations

import gc
import warnings

import pytest

from last_line import last_line


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Collect what a module leaves that may leave sockets open, before a test of another has to.

    A job that runs in the process of its test ends without closing its connections.
    """
    if nextitem is not None and nextitem.path == item.path:
        return
    ignored = [arg for mark in item.iter_markers("filterwarnings") for arg in mark.args]
    if any("PytestUnraisableExceptionWarning" in str(each) for each in ignored):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Print the line after pytest's own output."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or config.option.collectonly:
        return
    skipped = [report.longrepr for report in reporter.stats.get("skipped", [])]
    reporter.write_line(last_line([str(place[2]) for place in skipped if isinstance(place, tuple)]))
