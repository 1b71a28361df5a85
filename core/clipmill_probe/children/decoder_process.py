"""Fork the children of a prober from one process, which loads the decoders once.

In: on standard input, a socket, one JSON array of arguments for each child, with two descriptors: a
pipe for what it prints, and a socket for its exit code. If the other side closes that socket before
the child's end, the child is killed. At the end of its input the process ends, and its children.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import selectors
import signal
import socket
import sys
import traceback
from typing import NamedTuple, NoReturn

import clipmill_probe.decode
import clipmill_probe.picture_damage  # noqa: F401  loaded for the children
from clipmill_probe.__main__ import main

MAX_REQUEST_BYTES = 65_536
# Descriptors beyond those of standard input, output and errors.
OTHERS = (3, 65_536)


def serve(connection: socket.socket) -> None:
    """Fork a child for each request until the other side closes the connection."""
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        children: dict[int, _Child] = {}
        try:
            while True:
                for key, _ in selector.select():
                    if key.fd == connection.fileno():
                        if not _accept(connection, selector, children):
                            return
                    elif key.fd in children:
                        _handle(key.fd, selector, children)
        finally:
            for child in children.values():
                _kill(child)


class _Child(NamedTuple):
    """A child: its id, the descriptor of its process, and the socket for its exit code."""

    pid: int
    process: int
    reply: socket.socket


def _accept(
    connection: socket.socket, selector: selectors.BaseSelector, children: dict[int, _Child]
) -> bool:
    """Start the child of one request. Return False at the end of the input."""
    request, descriptors, _, _ = socket.recv_fds(connection, MAX_REQUEST_BYTES, 2)
    if not request:
        return False
    output, reply = descriptors
    pid = os.fork()
    if pid == 0:
        _run(json.loads(request), output)
    os.close(output)
    child = _Child(pid, os.pidfd_open(pid), socket.socket(fileno=reply))
    for descriptor in (child.process, reply):
        selector.register(descriptor, selectors.EVENT_READ)
        children[descriptor] = child
    return True


def _run(arguments: list[str], output: int) -> NoReturn:
    """Read a file in this process as `python -m clipmill_probe` would, and end the process."""
    code = 1
    try:
        os.setsid()
        os.dup2(output, 1)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.closerange(*OTHERS)
        code = main(arguments)
        sys.stdout.flush()
    except BaseException:  # the process must not go on in the loop of its parent
        traceback.print_exc()
    finally:
        os._exit(code)


def _handle(descriptor: int, selector: selectors.BaseSelector, children: dict[int, _Child]) -> None:
    """Handle the end of a child, or of whoever waits for it."""
    child = children[descriptor]
    if descriptor == child.process:
        _report_end(child, selector, children)
    else:
        selector.unregister(descriptor)
        _kill(child)


def _report_end(
    child: _Child, selector: selectors.BaseSelector, children: dict[int, _Child]
) -> None:
    """Report an exit code as subprocess does: negative for a signal."""
    _, status = os.waitpid(child.pid, 0)
    reply = child.reply.fileno()
    for descriptor in (child.process, reply):
        del children[descriptor]
        if descriptor in selector.get_map():
            selector.unregister(descriptor)
    os.close(child.process)
    # Whoever started the child may have ended.
    with child.reply, contextlib.suppress(OSError):
        child.reply.send(str(os.waitstatus_to_exitcode(status)).encode())


def _kill(child: _Child) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(child.pid, signal.SIGKILL)


if __name__ == "__main__":
    # Collections in a child leave the pages alone that all of them share.
    gc.freeze()
    with socket.socket(fileno=os.dup(0)) as parent:
        serve(parent)
