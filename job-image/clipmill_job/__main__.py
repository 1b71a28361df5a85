"""A job's process: claim a task, run it, report its result, and end with an exit code."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from clipmill import fault_points
from clipmill.environment import InvalidSettings
from clipmill.process_privacy import forbid_inspection
from clipmill.protocol import (
    Assignment,
    ExitCode,
    OutputResult,
    SpanName,
    Stage,
    TaskFailure,
    TaskResult,
)
from clipmill.shows.candidates import DiscoverResult
from clipmill_client.api_connection import UNTRUSTED
from clipmill_client.client import Client
from clipmill_client.errors import ClientError, PermanentError, RetryableError
from clipmill_client.span_calls import SpanCalls
from clipmill_job.assembling.assemble_task import run_assemble_task
from clipmill_job.discovering.discover_task import run_discover_task
from clipmill_job.errors import exit_code, is_lease_lost, task_failure
from clipmill_job.fetching.fetch_task import run_fetch_task
from clipmill_job.ffmpeg_binary import find_ffmpeg
from clipmill_job.heartbeat_sender import HeartbeatSender
from clipmill_job.isolation_check import wait_until_isolated
from clipmill_job.linked_transfers import LinkedTransfers
from clipmill_job.rendering.render_task import run_render_task
from clipmill_job.settings import JobSettings
from clipmill_job.span_recorder import SpanRecorder
from clipmill_job.task_context import TaskContext

# How long a task may be held by another process before this one ends and is started again.
CLAIM_TIMEOUT_S = 180.0
CLAIM_RETRY_S = 1.0
DISCOVER = "discover"
A = TypeVar("A")


def main(environ: Mapping[str, str], arguments: Sequence[str] = ()) -> int:
    """Run one task and return the process's `ExitCode`.

    Args:
        environ: The environment, which holds URL and key.
        arguments: `discover` for the discover task of an episode, none for a task of a revision.
    """
    try:
        fault_points.load(environ)
        settings = JobSettings.from_environ(environ)
        with (
            TemporaryDirectory(prefix="clipmill-", ignore_cleanup_errors=True) as scratch,
            Client(settings.api_url, settings.api_key, trust=settings.trust) as client,
        ):
            if settings.blobs:
                client.transfers = LinkedTransfers(client.connection, settings.blobs)
            if _is_discover(arguments):
                return _run_discover_task(client, Path(scratch))
            return _run_task(client, settings.index, Path(scratch))
    except InvalidSettings as error:
        return _exit(PermanentError("BadSettings", str(error)))
    except ClientError as error:
        return _exit(error)


def _is_discover(arguments: Sequence[str]) -> bool:
    if list(arguments) not in ([], [DISCOVER]):
        raise InvalidSettings(f"the arguments {list(arguments)} are not supported: only {DISCOVER}")
    return bool(arguments)


def _exit(error: ClientError) -> int:
    """Write one line to the pod's log and return the exit code."""
    sys.stderr.write(f"{error.code}: {error}\n")
    return exit_code(error)


def _run_task(client: Client, index: int, scratch: Path) -> int:
    holder = _holder()
    assignment = _claim(lambda: client.claim(index, holder))
    epoch, spans = assignment.epoch, SpanRecorder()
    fault_points.reach(f"job.{assignment.stage}.claimed")
    try:
        with HeartbeatSender(
            client.heartbeat, epoch=epoch, lease_s=assignment.lease_s, index=assignment.index
        ) as heartbeat:
            _end_on_sigterm(heartbeat)
            try:
                outputs = _do(client, assignment, heartbeat, scratch, holder, spans)
            finally:
                heartbeat.flush()
                _report_spans(client, assignment, spans)
            fault_points.reach(f"job.{assignment.stage}.done")
            _report_success(client, assignment, outputs)
            fault_points.reach(f"job.{assignment.stage}.reported")
    except (ClientError, OSError) as error:
        return _report_failure(
            error,
            lambda failure: client.result(
                TaskResult(index=assignment.index, epoch=epoch, failure=failure)
            ),
        )
    return ExitCode.OK


def _run_discover_task(client: Client, scratch: Path) -> int:
    holder = _holder()
    assignment = _claim(lambda: client.discovery.claim(holder))
    epoch = assignment.epoch
    fault_points.reach("job.discover.claimed")
    try:
        with HeartbeatSender(
            client.discovery.heartbeat, epoch=epoch, lease_s=assignment.lease_s
        ) as heartbeat:
            _end_on_sigterm(heartbeat)
            wait_until_isolated(assignment.canaries)
            try:
                result = run_discover_task(assignment, heartbeat, scratch)
            finally:
                heartbeat.flush()
            fault_points.reach("job.discover.done")
            client.discovery.result(result)
            fault_points.reach("job.discover.reported")
    except (ClientError, OSError) as error:
        return _report_failure(
            error,
            lambda failure: client.discovery.result(DiscoverResult(epoch=epoch, failure=failure)),
        )
    return ExitCode.OK


def _end_on_sigterm(heartbeat: HeartbeatSender) -> None:
    signal.signal(signal.SIGTERM, lambda *_: heartbeat.interrupt("received SIGTERM"))


def _holder() -> str:
    """Return a name of this process, by which the API sees its repeated claims as one."""
    return f"{socket.gethostname()[:60]}-{os.getpid()}-{secrets.token_hex(4)}"


def _claim(claim: Callable[[], A], check: Callable[[], None] = lambda: None) -> A:
    """Return the assignment, once no other process holds the task or fetches what it needs.

    Args:
        claim: Claims the task.
        check: Called before each attempt. It raises if there is no use in waiting.
    """
    until = time.monotonic() + CLAIM_TIMEOUT_S
    while True:
        check()
        try:
            return claim()
        except RetryableError as error:
            # This process does not get other CAs; the next one may.
            if time.monotonic() > until or error.code == UNTRUSTED:
                raise
            time.sleep(CLAIM_RETRY_S)


def _do(
    client: Client,
    assignment: Assignment,
    heartbeat: HeartbeatSender,
    scratch: Path,
    holder: str,
    spans: SpanRecorder,
) -> list[OutputResult]:
    with spans.span(SpanName.ISOLATION):
        wait_until_isolated(assignment.canaries)
    context = TaskContext(
        client=client,
        assignment=assignment,
        heartbeat=heartbeat,
        scratch=scratch,
        ffmpeg=find_ffmpeg(),
        spans=spans,
    )
    if assignment.stage is Stage.ASSEMBLE:
        return run_assemble_task(context, assignment.assemble or [])
    if assignment.stage is Stage.RENDER:
        claim_again = partial(client.claim, assignment.index, holder)
        run_render_task(context, lambda: _claim(claim_again, heartbeat.check))
    elif assignment.fetch:
        run_fetch_task(context, assignment.fetch)
    return []


def _report_spans(client: Client, assignment: Assignment, spans: SpanRecorder) -> None:
    """Report the steps of the task if its generation is traced. A trace may lack them."""
    if assignment.traceparent:
        with suppress(ClientError):
            SpanCalls(client.connection).report(
                spans.report(index=assignment.index, epoch=assignment.epoch)
            )


def _report_success(client: Client, assignment: Assignment, outputs: list[OutputResult]) -> None:
    # A fetch task has ended with its upload.
    if assignment.stage is not Stage.FETCH or assignment.fetch is None:
        result = TaskResult(index=assignment.index, epoch=assignment.epoch, outputs=outputs)
        client.result(result)


def _report_failure(cause: ClientError | OSError, report: Callable[[TaskFailure], None]) -> int:
    """Report the failure, so that the API releases the task or gives it up at once."""
    error = cause if isinstance(cause, ClientError) else RetryableError("ScratchFailed", str(cause))
    if is_lease_lost(error):
        return _exit(error)
    try:
        report(task_failure(error))
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
    sys.exit(main(os.environ, sys.argv[1:]))
