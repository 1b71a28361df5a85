"""The one module that starts subprocesses: argument tuples, a deadline, the last words kept."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Thread

from clipmill_job.errors import JobError

LAST_LINES = 20
TICK_S = 0.1
OnLine = Callable[[str], None]
Stopped = Callable[[], None]
"""Called every tick; raises when the job is to leave."""


class ProcessFailed(JobError):
    """A program ended badly: its name, its exit, its arguments and the last 20 lines it wrote."""

    def __init__(self, argv: Sequence[str], code: int, lines: Sequence[str]) -> None:
        said = next((line for line in reversed(lines) if line.strip()), "it said nothing")
        super().__init__("ProcessFailed", f"{Path(argv[0]).name} ended with {code}: {said}")
        self.argv = tuple(argv)
        self.code_of_exit = code
        self.lines = tuple(lines)


class DeadlinePassed(JobError):
    """A program took longer than it may."""

    def __init__(self, argv: Sequence[str], deadline_s: float) -> None:
        name = Path(argv[0]).name
        super().__init__("DeadlinePassed", f"{name} was not done after {deadline_s:.0f} s")


def run(
    argv: Sequence[str],
    *,
    deadline_s: float,
    stopped: Stopped,
    scratch: Path,
    stdin: bytes | None = None,
    on_line: OnLine = lambda _: None,
) -> list[str]:
    """Run to the end; the last lines of stderr. Standard output goes to `on_line`.

    Raises ProcessFailed, DeadlinePassed, and what `stopped` raises; the whole group is gone then.
    """
    child = subprocess.Popen(  # noqa: S603  an argument tuple, no shell
        tuple(argv),
        stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=scratch,
        env=bare_environ(scratch),
        start_new_session=True,
    )
    lines: deque[str] = deque(maxlen=LAST_LINES)
    readers = [
        Thread(target=_read, args=(child.stdout, on_line), daemon=True),
        Thread(target=_read, args=(child.stderr, lines.append), daemon=True),
    ]
    try:
        for reader in readers:
            reader.start()
        _feed(child, stdin)
        _wait(child, argv, deadline_s, stopped)
    finally:
        _end(child, readers)
    if child.returncode:
        raise ProcessFailed(argv, child.returncode, list(lines))
    return list(lines)


def bare_environ(scratch: Path) -> dict[str, str]:
    """A program's whole environment: no key of ours is in it."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
    }


def _feed(child: subprocess.Popen[bytes], data: bytes | None) -> None:
    if child.stdin is None:
        return
    try:
        child.stdin.write(data or b"")
        child.stdin.close()
    except BrokenPipeError:
        return  # It ended before it read: its exit code tells why.


def _read(stream: object, tell: Callable[[str], None]) -> None:
    for line in stream:  # type: ignore[attr-defined]  # a pipe's typed reader is a union
        tell(line.decode(errors="replace").rstrip("\r\n"))


def _wait(
    child: subprocess.Popen[bytes], argv: Sequence[str], deadline_s: float, stopped: Stopped
) -> None:
    until = time.monotonic() + deadline_s
    while True:
        try:
            child.wait(TICK_S)
            return
        except subprocess.TimeoutExpired:
            stopped()
            if time.monotonic() > until:
                raise DeadlinePassed(argv, deadline_s) from None


def _end(child: subprocess.Popen[bytes], readers: Sequence[Thread]) -> None:
    """Nothing that was started is left: children of children hold the same group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    for reader in readers:
        reader.join()
    for stream in (child.stdin, child.stdout, child.stderr):
        if stream:
            stream.close()
