"""Fork children from one process, which loads their modules once.

In: on standard input, a socket, one JSON object for each child: `arguments`, and `cwd` and
`environ` where they are not the server's; with four descriptors: its standard input, output and
errors, and a socket for its exit code. If the other side closes that socket before the child's end,
the child is killed with its process group. At the end of its input the server ends, and its
children; they are killed with it, too.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import selectors
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

MAX_REQUEST_BYTES = 65_536
DESCRIPTORS = 4
# Descriptors beyond those of standard input, output and errors.
OTHERS = (3, 65_536)
# prctl(2): PR_SET_PDEATHSIG of linux/prctl.h.
_SET_PARENT_DEATH_SIGNAL = 1
Main = Callable[[list[str]], int]


def serve_parent(main: Main) -> None:
    """Fork a child that calls `main` for each request of the process that has started this one."""
    # Collections in a child leave the pages alone that all of them share.
    gc.freeze()
    with socket.socket(fileno=os.dup(0)) as parent:
        _serve(parent, main)


def _serve(connection: socket.socket, main: Main) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        children: dict[int, _Child] = {}
        try:
            while True:
                for key, _ in selector.select():
                    if key.fd == connection.fileno():
                        if not _accept(connection, selector, children, main):
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
    connection: socket.socket,
    selector: selectors.BaseSelector,
    children: dict[int, _Child],
    main: Main,
) -> bool:
    """Start the child of one request. Return False at the end of the input."""
    request, descriptors, _, _ = socket.recv_fds(connection, MAX_REQUEST_BYTES, DESCRIPTORS)
    if not request:
        return False
    *standard, reply = descriptors
    server, pid = os.getpid(), os.fork()
    if pid == 0:
        _end_with(server)
        _run(json.loads(request), standard, main)
    for descriptor in standard:
        os.close(descriptor)
    child = _Child(pid, os.pidfd_open(pid), socket.socket(fileno=reply))
    for descriptor in (child.process, reply):
        selector.register(descriptor, selectors.EVENT_READ)
        children[descriptor] = child
    return True


def _end_with(server: int) -> None:
    """Have this process killed with the server, which would leave it to itself when killed."""
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != server:
        os._exit(1)


def _run(request: dict[str, Any], standard: list[int], main: Main) -> NoReturn:
    """Call `main` in this process as a new one would, and end the process."""
    code = 1
    try:
        os.setsid()
        for number, descriptor in enumerate(standard):
            os.dup2(descriptor, number)
        os.closerange(*OTHERS)
        if "cwd" in request:
            os.chdir(request["cwd"])
            os.environ.clear()
            os.environ.update(request["environ"])
        code = main(request["arguments"])
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
    _kill(child)  # what it has started, and left
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
    """Kill a child, which may not lead its group yet, and its group."""
    for kill in (os.kill, os.killpg):
        with contextlib.suppress(ProcessLookupError):
            kill(child.pid, signal.SIGKILL)
