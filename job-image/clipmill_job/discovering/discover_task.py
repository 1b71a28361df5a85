"""The discover task: read all sources, each in a process of its own, and collect candidates."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice, zip_longest
from pathlib import Path

from clipmill.shows.candidates import (
    MAX_CANDIDATES,
    ClipCandidate,
    DiscoverAssignment,
    DiscoverResult,
    SourceQuery,
)
from clipmill_job import subprocesses
from clipmill_job.discovering.source_lines import SourceLines
from clipmill_job.discovering.source_reader import SourceTask, source_field
from clipmill_job.fetching import javascript
from clipmill_job.heartbeat_sender import HeartbeatSender

SOURCE_PROCESS = (sys.executable, "-I", "-m", "clipmill_job.discovering.source_process")
PARALLEL_SOURCES = 4
# For starting the process of a source, and for reading its last lines.
GRACE_S = 5.0


def run_discover_task(
    assignment: DiscoverAssignment, heartbeat: HeartbeatSender, scratch: Path
) -> DiscoverResult:
    """Return the candidates of all sources, and a report of each.

    A source that fails is reported, and does not end the task.

    Raises:
        ClientError: The lease is lost, or the process is to end.
    """
    until = time.monotonic() + assignment.limit_s
    heartbeat.report(1, f"querying {len(assignment.queries)} sources")

    def read(query: SourceQuery) -> SourceLines:
        return _read_source(assignment, query, heartbeat, scratch, until)

    with ThreadPoolExecutor(PARALLEL_SOURCES) as pool:
        sources = list(pool.map(read, assignment.queries))
    heartbeat.check()
    return DiscoverResult(
        epoch=assignment.epoch,
        candidates=fair_share([source.candidates() for source in sources]),
        sources=[source.report() for source in sources],
    )


def _read_source(
    assignment: DiscoverAssignment,
    query: SourceQuery,
    heartbeat: HeartbeatSender,
    scratch: Path,
    until: float,
) -> SourceLines:
    """Run the process of a source."""
    lines = SourceLines(query)
    remaining_s = until - time.monotonic()
    if remaining_s <= GRACE_S:
        lines.fail("TooSlow", f"no time was left of {assignment.limit_s} s")
        return lines
    folder = Path(tempfile.mkdtemp(prefix="source-", dir=scratch))
    try:
        subprocesses.run(
            SOURCE_PROCESS,
            deadline_s=remaining_s,
            check_cancelled=heartbeat.check,
            scratch=folder,
            stdin=_request(assignment, query, folder, remaining_s - GRACE_S),
            on_line=lines.add,
        )
    except subprocesses.DeadlineExceeded:
        lines.fail("TooSlow", f"it was not read within {assignment.limit_s} s")
    except subprocesses.ProcessFailed as error:
        # Not its last lines: what an unforeseen error says may hold a credential.
        lines.fail("SourceFailed", f"its process ended with exit code {error.returncode}")
    if not lines.is_complete and not lines.has_failed:
        lines.fail("SourceFailed", "it was not read to its end")
    heartbeat.report(0, f"{source_field(query)}: {lines.summary()}")
    return lines


def _request(
    assignment: DiscoverAssignment, query: SourceQuery, folder: Path, limit_s: float
) -> bytes:
    task = SourceTask(
        query=query,
        started_after=assignment.started_after,
        ended_before=assignment.ended_before,
        limit_s=limit_s,
        allowed_private=assignment.allowed_private,
        base_urls=assignment.base_urls,
        javascript=javascript.write_interpreter(folder),
        folder=str(folder),
    )
    return task.model_dump_json().encode()


def fair_share(
    lists: Sequence[Sequence[ClipCandidate]], most: int = MAX_CANDIDATES
) -> list[ClipCandidate]:
    """Return at most `most` candidates of all lists, by turns, in the order of the lists."""
    turns = (clip for turn in zip_longest(*lists) for clip in turn if clip is not None)
    kept = {id(clip) for clip in islice(turns, most)}
    return [clip for clips in lists for clip in clips if id(clip) in kept]
