"""The only module of a job that starts subprocesses.

In: an argument tuple and a deadline. Out: the last lines of stderr, or an error that holds them.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import IO

from clipmill_client.errors import RetryableError
from clipmill_job.forked_process import ForkedProcess, ForkedProgram
from clipmill_probe.children.child_server import ServerLost

LAST_LINES = 20
POLL_S = 0.1
OnLine = Callable[[str], None]
# Called every POLL_S; raises an error when the process is to be stopped.
CheckCancelled = Callable[[], None]
_Process = subprocess.Popen[bytes] | ForkedProcess


class ProcessFailed(RetryableError):
    """A program ended with an exit code other than 0; holds its last 20 lines of stderr."""

    def __init__(self, argv: Sequence[str], returncode: int, lines: Sequence[str]) -> None:
        last = next((line for line in reversed(lines) if line.strip()), "no error message")
        name = Path(argv[0]).name
        super().__init__("ProcessFailed", f"{name} ended with exit code {returncode}: {last}")
        self.argv = tuple(argv)
        self.returncode = returncode
        self.lines = tuple(lines)


class DeadlineExceeded(RetryableError):
    """A program did not end before its deadline."""

    def __init__(self, argv: Sequence[str], deadline_s: float) -> None:
        name = Path(argv[0]).name
        super().__init__("DeadlineExceeded", f"{name} did not end within {deadline_s:.0f} s")


def run(
    program: Sequence[str] | ForkedProgram,
    *,
    deadline_s: float,
    scratch: Path,
    check_cancelled: CheckCancelled = lambda: None,
    stdin: bytes | None = None,
    on_line: OnLine = lambda _: None,
) -> list[str]:
    """Run a program to its end, in its own process group, which is killed on any error.

    Args:
        program: Program and arguments, or one that a server forks while there is one.
        deadline_s: Seconds after which the program is killed.
        scratch: Its working directory, HOME and TMPDIR.
        check_cancelled: Called while waiting; raises to stop the program.
        stdin: Written to its standard input.
        on_line: Called with each line of its standard output; what it raises is raised at the end.

    Returns:
        The last 20 lines of its standard error.

    Raises:
        ProcessFailed: It ended with an exit code other than 0.
        DeadlineExceeded: It did not end in time.
    """
    until = time.monotonic() + deadline_s
    watch = _Watch(deadline_s, until, check_cancelled, stdin, on_line)
    server, argv = program if isinstance(program, ForkedProgram) else (None, program)
    if server:
        # A new process says why the server has ended, if that is the program's fault.
        with contextlib.suppress(ServerLost):
            environ = minimal_environ(scratch)
            return watch.run(ForkedProcess(server, (), scratch=scratch, environ=environ), argv)
    return watch.run(_start(argv, scratch, has_stdin=stdin is not None), argv)


@dataclass(frozen=True, slots=True)
class _Watch:
    """Feeds a program, reads what it writes, and waits for its end.

    It has `deadline_s` seconds, and is killed at the monotonic time `until`.
    """

    deadline_s: float
    until: float
    check_cancelled: CheckCancelled
    stdin: bytes | None
    on_line: OnLine

    def run(self, child: _Process, argv: Sequence[str]) -> list[str]:
        lines: deque[str] = deque(maxlen=LAST_LINES)
        readers = [_Reader(child.stdout, self.on_line), _Reader(child.stderr, lines.append)]
        try:
            for reader in readers:
                reader.start()
            _write(child, self.stdin)
            self._wait(child, argv)
        finally:
            _end(child, readers)
        for reader in readers:
            reader.raise_error()
        if child.returncode:
            raise ProcessFailed(argv, child.returncode, list(lines))
        return list(lines)

    def _wait(self, child: _Process, argv: Sequence[str]) -> None:
        while True:
            try:
                child.wait(POLL_S)
                return
            except (subprocess.TimeoutExpired, TimeoutError):
                self.check_cancelled()
                if time.monotonic() > self.until:
                    raise DeadlineExceeded(argv, self.deadline_s) from None


def _start(argv: Sequence[str], scratch: Path, *, has_stdin: bool) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  an argument tuple, no shell
        tuple(argv),
        stdin=subprocess.PIPE if has_stdin else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=scratch,
        env=minimal_environ(scratch),
        start_new_session=True,
    )


@contextlib.contextmanager
def conversation(argv: Sequence[str], *, scratch: Path) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """Run a program within the block; its standard input and output are yielded.

    It stays in the caller's process group, whose end ends it too. Its errors are discarded.
    """
    child = subprocess.Popen(  # noqa: S603  an argument tuple, no shell
        tuple(argv),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=scratch,
        env=minimal_environ(scratch),
    )
    if child.stdin is None or child.stdout is None:
        raise ProcessFailed(argv, -1, ())
    try:
        with contextlib.suppress(BrokenPipeError):  # It ended: its output says how far it came.
            yield child.stdin, child.stdout
    finally:
        child.kill()
        child.wait()
        for stream in (child.stdin, child.stdout):
            with contextlib.suppress(BrokenPipeError):
                stream.close()


def minimal_environ(scratch: Path) -> dict[str, str]:
    """Return the whole environment of a subprocess; it does not contain the API key."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
    }


def _write(child: _Process, data: bytes | None) -> None:
    if child.stdin is None:
        return
    try:
        child.stdin.write(data or b"")
        child.stdin.close()
    except BrokenPipeError:
        return  # It ended before it read its input: the exit code says why.


class _Reader(Thread):
    """Reads a stream to its end, also after `on_line` has raised: a full pipe stops the program."""

    def __init__(self, stream: IO[bytes] | None, on_line: OnLine) -> None:
        super().__init__(daemon=True)
        self._stream, self._on_line = stream, on_line
        self._error: Exception | None = None

    def run(self) -> None:
        for line in self._stream or ():
            if self._error is None:
                self._call(line.decode(errors="replace").rstrip("\r\n"))

    def _call(self, line: str) -> None:
        try:
            self._on_line(line)
        except Exception as error:  # raised in the thread that waits for the program
            self._error = error

    def raise_error(self) -> None:
        """Raise what `on_line` has raised."""
        if self._error is not None:
            raise self._error


def _end(child: _Process, readers: Sequence[Thread]) -> None:
    _kill(child)
    for reader in readers:
        reader.join()
    for stream in (child.stdin, child.stdout, child.stderr):
        if stream:
            stream.close()


def _kill(child: _Process) -> None:
    """Kill a program with its process group, which also holds the children that it has started."""
    if isinstance(child, ForkedProcess):
        child.kill()
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
