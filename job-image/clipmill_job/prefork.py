"""Start jobs as forks of one process, which loads all modules once: for a run without a cluster.

In: on standard input, a socket, one JSON object for each job: `arguments`, `environ`, `cwd`, `log`.
Out: `{"started": PID}` for each of them, and `{"ended": PID, "exit": CODE}` at its end. At the end
of the input the process ends; its jobs go on.
"""

from __future__ import annotations

import gc
import json
import os
import selectors
import socket
import sys
import traceback
from pathlib import Path
from typing import Any, NoReturn

from clipmill.process_privacy import forbid_inspection
from clipmill_job.__main__ import main
from clipmill_job.stage_tasks import preload

MAX_REQUEST_BYTES = 65_536


def serve(connection: socket.socket) -> None:
    """Fork a job for each request until the other side closes the connection."""
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.data is not None:
                    selector.unregister(key.fd)
                    os.close(key.fd)
                    _send(connection, _end_of(key.data))
                    continue
                request = connection.recv(MAX_REQUEST_BYTES)
                if not request:
                    return
                pid = _fork(connection, json.loads(request))
                selector.register(os.pidfd_open(pid), selectors.EVENT_READ, pid)
                _send(connection, {"started": pid})


def _send(connection: socket.socket, message: dict[str, int]) -> None:
    connection.send(json.dumps(message).encode())


def _end_of(pid: int) -> dict[str, int]:
    """Return the exit code of a process as subprocess does: negative for a signal."""
    _, status = os.waitpid(pid, 0)
    return {"ended": pid, "exit": os.waitstatus_to_exitcode(status)}


def _fork(connection: socket.socket, request: dict[str, Any]) -> int:
    pid = os.fork()
    if pid == 0:
        connection.close()
        _run(request)
    return pid


def _run(request: dict[str, Any]) -> NoReturn:
    """Run a job in this process as `python -m clipmill_job` would, and end the process."""
    code = 1
    try:
        os.setsid()
        _redirect(Path(request["log"]))
        os.chdir(request["cwd"])
        os.environ.clear()
        os.environ.update(request["environ"])
        code = main(os.environ, request["arguments"])
    except BaseException:  # the process must not go on in the loop of its parent
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _redirect(log: Path) -> None:
    with log.open("wb") as out, Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)


if __name__ == "__main__":
    forbid_inspection()
    preload()
    # Collections in a job leave the pages alone that all jobs share.
    gc.freeze()
    with socket.socket(fileno=os.dup(0)) as parent:
        serve(parent)
