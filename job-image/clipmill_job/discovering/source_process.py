"""The process that reads one source, behind the egress guard and limits.

In: a `SourceTask` as JSON on stdin, since arguments and environment can be read by others. Out:
lines of JSON on stdout, {"candidate": ...} and {"note": ...} as they are read, then
{"requests": n, "error": ...}.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

from clipmill.process_privacy import forbid_inspection
from clipmill.shows.candidates import MAX_CANDIDATES, ClipCandidate
from clipmill.spec.source_urls import ForbiddenURL, host_port_of
from clipmill_job.discovering.bounded_http import BoundedHttp
from clipmill_job.discovering.secret_text import SecretText
from clipmill_job.discovering.source_errors import SourceError
from clipmill_job.discovering.source_reader import ReaderTools, SourceNote, SourceReader, SourceTask
from clipmill_job.fetching.egress_guard import EgressGuard, install

# Loaded when a source is of this kind, so that no process has more code than its source needs.
READERS = {
    "twitch": "clipmill_job.discovering.twitch_reader",
    "discord": "clipmill_job.discovering.discord_reader",
    "feed": "clipmill_job.discovering.feed_reader",
    "list": "clipmill_job.discovering.list_reader",
}
SERVICES = {"twitch": ("twitch", "twitch-auth"), "discord": ("discord",)}
MEMORY_BYTES = 2 * 1024**3
FILE_BYTES = 64 * 1024**2
Write = Callable[[dict[str, Any]], None]


def main() -> int:
    """Read the source and write what it offers."""
    forbid_inspection()
    task = SourceTask.model_validate_json(sys.stdin.buffer.read())
    until = time.monotonic() + task.limit_s
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    private = [*task.allowed_private, *service_addresses(task)]
    secrets = SecretText.of(task.query)
    tools = ReaderTools(
        http=BoundedHttp(private),
        guard=install(EgressGuard(private)),
        folder=Path(task.folder),
        until=until,
        hide=secrets.add,
    )
    read_source(_reader(task.query.query.kind), task, tools, secrets, _write)
    return 0


def service_addresses(task: SourceTask) -> list[str]:
    """Return host:port of the services that replace the public ones, by a setting."""
    services = SERVICES.get(task.query.query.kind, ())
    try:
        return [host_port_of(task.base_urls[name]) for name in services if name in task.base_urls]
    except ForbiddenURL:
        return []


def _reader(kind: str) -> SourceReader:
    reader: SourceReader = import_module(READERS[kind]).read
    return reader


def _write(content: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(content) + "\n")
    sys.stdout.flush()


def read_source(
    reader: SourceReader, task: SourceTask, tools: ReaderTools, secrets: SecretText, write: Write
) -> None:
    """Write what a reader yields, and how it ended."""
    error: SourceError | None = None
    try:
        for item in islice(reader(task, tools), MAX_CANDIDATES):
            if isinstance(item, ClipCandidate):
                write({"candidate": item.model_dump(mode="json", exclude_none=True)})
            else:
                write({"note": _report(item, secrets)})
    except SourceError as raised:
        error = raised
    except (MemoryError, RecursionError):
        error = SourceError("TooLarge", f"{task.field('url')}: reading it takes too much memory")
    if error and tools.guard.refused:
        error = SourceError("ForbiddenURL", tools.guard.refused)
    note = SourceNote(error.reason, error.message) if error else None
    write({"requests": tools.http.requests, "error": _report(note, secrets) if note else None})


def _report(note: SourceNote, secrets: SecretText) -> dict[str, str]:
    return {"reason": note.reason, "message": secrets.hide(note.message)[:500]}


if __name__ == "__main__":
    sys.exit(main())
