"""Reports of spans that were exported, so that a repeated one is not exported again."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

# Reports that are remembered.
MAX_REPORTS = 10_000
_Report = tuple[str, int, str, int, int]


class SeenReports:
    """The newest reports of tasks. Safe for use by several threads."""

    def __init__(self) -> None:
        self._seen: OrderedDict[_Report, None] = OrderedDict()
        self._lock = Lock()

    def is_new(self, report: _Report) -> bool:
        """Remember a report. Return whether it was not known."""
        with self._lock:
            is_new = report not in self._seen
            self._seen[report] = None
            while len(self._seen) > MAX_REPORTS:
                self._seen.popitem(last=False)
            return is_new
