"""A child of a server, with the attributes of `subprocess.Popen` that `subprocesses` needs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from clipmill_probe.children.child_server import ChildServer, ServerLost


class ForkedProgram(NamedTuple):
    """A program without arguments: the server that forks it, and the command without a server."""

    server: ChildServer
    argv: tuple[str, ...]


class ForkedProcess:
    """A child with pipes for its standard input, output and errors.

    Args:
        server: The server to fork it from.
        arguments: Its arguments.
        scratch: Its working directory.
        environ: Its whole environment.

    Raises:
        ServerLost: The server has ended.
    """

    def __init__(
        self,
        server: ChildServer,
        arguments: Sequence[str],
        *,
        scratch: Path,
        environ: Mapping[str, str],
    ) -> None:
        pipes = [os.pipe() for _ in range(3)]
        (their_in, stdin), (stdout, their_out), (stderr, their_err) = pipes
        self.stdin: IO[bytes] = os.fdopen(stdin, "wb")
        self.stdout: IO[bytes] = os.fdopen(stdout, "rb")
        self.stderr: IO[bytes] = os.fdopen(stderr, "rb")
        self.returncode: int | None = None
        standard = (their_in, their_out, their_err)
        try:
            self._child = server.start(arguments, standard, cwd=scratch, environ=environ)
        except ServerLost:
            for stream in (self.stdin, self.stdout, self.stderr):
                stream.close()
            raise
        finally:
            for descriptor in standard:
                os.close(descriptor)

    def wait(self, timeout_s: float) -> int:
        """Return the exit code: negative for a signal. Raise TimeoutError, ServerLost."""
        if self.returncode is None:
            self.returncode = self._child.exit_code(timeout_s)
        return self.returncode

    def kill(self) -> None:
        """Kill the process with its group, unless it has ended."""
        self._child.close()
