"""A job's process: claim a task, run it, report its result, and end with an exit code."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from clipmill import fault_points
from clipmill.environment import InvalidSettings
from clipmill.process_privacy import forbid_inspection
from clipmill.protocol import Assignment, ExitCode, OutputResult, Stage, TaskResult
from clipmill_client.client import Client
from clipmill_client.errors import ClientError, PermanentError, RetryableError
from clipmill_job.assembling.assemble_task import run_assemble_task
from clipmill_job.errors import exit_code, is_lease_lost, task_failure
from clipmill_job.fetching.fetch_task import run_fetch_task
from clipmill_job.ffmpeg_binary import find_ffmpeg
from clipmill_job.heartbeat_sender import HeartbeatSender
from clipmill_job.isolation_check import wait_until_isolated
from clipmill_job.rendering.render_task import run_render_task
from clipmill_job.settings import JobSettings
from clipmill_job.task_context import TaskContext

# How long a task may be held by another process before this one ends and is started again.
CLAIM_TIMEOUT_S = 180.0
CLAIM_RETRY_S = 1.0


def main(environ: Mapping[str, str]) -> int:
    """Run one task and return the process's `ExitCode`."""
    try:
        fault_points.load(environ)
        settings = JobSettings.from_environ(environ)
        with (
            TemporaryDirectory(prefix="clipmill-", ignore_cleanup_errors=True) as scratch,
            Client(settings.api_url, settings.api_key) as client,
        ):
            return _run_task(client, settings.index, Path(scratch))
    except InvalidSettings as error:
        return _exit(PermanentError("BadSettings", str(error)))
    except ClientError as error:
        return _exit(error)


def _exit(error: ClientError) -> int:
    """Write one line to the pod's log and return the exit code."""
    sys.stderr.write(f"{error.code}: {error}\n")
    return exit_code(error)


def _run_task(client: Client, index: int, scratch: Path) -> int:
    assignment = _claim(client, index)
    fault_points.reach(f"job.{assignment.stage}.claimed")
    try:
        with HeartbeatSender(client, assignment) as heartbeat:
            signal.signal(signal.SIGTERM, lambda *_: heartbeat.interrupt("received SIGTERM"))
            try:
                outputs = _do(client, assignment, heartbeat, scratch)
            finally:
                heartbeat.flush()
            fault_points.reach(f"job.{assignment.stage}.done")
            _report_success(client, assignment, outputs)
            fault_points.reach(f"job.{assignment.stage}.reported")
    except ClientError as error:
        return _report_failure(client, assignment, error)
    except OSError as error:
        failure = RetryableError("ScratchFailed", str(error))
        return _report_failure(client, assignment, failure)
    return ExitCode.OK


def _claim(client: Client, index: int) -> Assignment:
    """Return the assignment, once no other process holds the task or fetches the same clip."""
    # Names this process, so that the API sees its repeated claims as one.
    holder = f"{socket.gethostname()[:60]}-{os.getpid()}-{secrets.token_hex(4)}"
    until = time.monotonic() + CLAIM_TIMEOUT_S
    while True:
        try:
            return client.claim(index, holder)
        except RetryableError:
            if time.monotonic() > until:
                raise
            time.sleep(CLAIM_RETRY_S)


def _do(
    client: Client, assignment: Assignment, heartbeat: HeartbeatSender, scratch: Path
) -> list[OutputResult]:
    wait_until_isolated(assignment.canaries)
    context = TaskContext(
        client=client,
        assignment=assignment,
        heartbeat=heartbeat,
        scratch=scratch,
        ffmpeg=find_ffmpeg(),
    )
    if assignment.stage is Stage.ASSEMBLE:
        return run_assemble_task(context, assignment.assemble or [])
    if assignment.stage is Stage.RENDER:
        run_render_task(context, assignment.render or [])
    elif assignment.fetch:
        run_fetch_task(context, assignment.fetch)
    return []


def _report_success(client: Client, assignment: Assignment, outputs: list[OutputResult]) -> None:
    # A fetch task has ended with its upload.
    if assignment.stage is not Stage.FETCH or assignment.fetch is None:
        result = TaskResult(index=assignment.index, epoch=assignment.epoch, outputs=outputs)
        client.result(result)


def _report_failure(client: Client, assignment: Assignment, error: ClientError) -> int:
    """Report the failure, so that the API releases the task or gives it up at once."""
    if is_lease_lost(error):
        return _exit(error)
    result = TaskResult(index=assignment.index, epoch=assignment.epoch, failure=task_failure(error))
    try:
        client.result(result)
    except ClientError as unreported:
        sys.stderr.write(f"{unreported.code}: the failure was not reported: {unreported}\n")
        if is_lease_lost(unreported):
            return ExitCode.LEASE_LOST
        if not isinstance(unreported, PermanentError):
            # The API does not know of the failure: the next process has to find it again.
            return ExitCode.RETRY
    return _exit(error)


if __name__ == "__main__":
    forbid_inspection()
    sys.exit(main(os.environ))
