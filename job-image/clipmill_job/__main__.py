"""A job's process: claim tasks, run them, report their results, and end with an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from clipmill import fault_points
from clipmill.environment import InvalidSettings
from clipmill.process_privacy import forbid_inspection
from clipmill.protocol import (
    INTERRUPTED,
    NOTHING_LEFT,
    Assignment,
    ExitCode,
    OutputResult,
    SpanName,
    Stage,
    TaskFailure,
    TaskResult,
)
from clipmill.shows.candidates import DiscoverResult
from clipmill_client.client import Client
from clipmill_client.errors import ClientError, PermanentError, RetryableError
from clipmill_client.local_transfers import LinkedTransfers
from clipmill_client.span_calls import SpanCalls
from clipmill_job.errors import NotIsolatedError, exit_code, is_lease_lost, task_failure
from clipmill_job.ffmpeg_binary import find_ffmpeg
from clipmill_job.heartbeat_sender import HeartbeatSender
from clipmill_job.isolation_check import IsolationCheck, wait_until_isolated
from clipmill_job.settings import JobSettings
from clipmill_job.span_recorder import SpanRecorder
from clipmill_job.stage_tasks import run_discovery, run_task
from clipmill_job.task_claim import Termination, claim_when_free, holder_name
from clipmill_job.task_context import TaskContext

DISCOVER = "discover"


def main(environ: Mapping[str, str], arguments: Sequence[str] = ()) -> int:
    """Run tasks and return the process's `ExitCode`.

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
            if settings.state:
                client.transfers = LinkedTransfers(client.connection, settings.state)
            holder = holder_name(settings.pod)
            if _is_discover(arguments):
                return _run_discover_task(client, holder, Path(scratch))
            process = _Process(client, settings.index, holder, Termination(), IsolationCheck())
            return _run_tasks(process, Path(scratch))
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


class _TaskEnd(NamedTuple):
    """The exit code of a task, and whether the process may claim another one."""

    exit_code: int
    may_go_on: bool = False


@dataclass(frozen=True, slots=True)
class _Process:
    """What the tasks of this process have in common."""

    client: Client
    index: int
    holder: str
    termination: Termination
    isolation: IsolationCheck

    def claim(self) -> Assignment:
        """Claim the task of the index, or in the fetch stage the next one."""
        return self.client.claim(self.index, self.holder)


def _run_tasks(process: _Process, scratch: Path) -> int:
    """Run the task of the index; of the fetch stage one after the other, until none is left.

    A clip that cannot be fetched is reported, and does not keep the process from the next one.
    """
    failed: int = ExitCode.OK
    for number in count():
        try:
            assignment = claim_when_free(process.claim, process.termination.check)
        except PermanentError as error:
            if error.code == NOTHING_LEFT or (number and is_lease_lost(error)):
                return failed
            raise
        with TemporaryDirectory(prefix=f"{number}-", dir=scratch) as folder:
            end = _run_task(process, assignment, Path(folder))
        if assignment.stage is not Stage.FETCH or not end.may_go_on:
            return end.exit_code
        failed = end.exit_code if end.exit_code == ExitCode.GIVE_UP else failed
    raise AssertionError


def _run_task(process: _Process, assignment: Assignment, scratch: Path) -> _TaskEnd:
    client, epoch, spans = process.client, assignment.epoch, SpanRecorder()
    fault_points.reach(f"job.{assignment.stage}.claimed")
    try:
        with HeartbeatSender(
            client.heartbeat, epoch=epoch, lease_s=assignment.lease_s, index=assignment.index
        ) as heartbeat:
            process.termination.watch(heartbeat)
            try:
                outputs = _do(process, assignment, heartbeat, scratch, spans)
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
    return _TaskEnd(ExitCode.OK, may_go_on=True)


def _run_discover_task(client: Client, holder: str, scratch: Path) -> int:
    termination = Termination()
    assignment = claim_when_free(lambda: client.discovery.claim(holder))
    epoch = assignment.epoch
    fault_points.reach("job.discover.claimed")
    try:
        with HeartbeatSender(
            client.discovery.heartbeat, epoch=epoch, lease_s=assignment.lease_s
        ) as heartbeat:
            termination.watch(heartbeat)
            wait_until_isolated(assignment.canaries)
            try:
                result = run_discovery(assignment, heartbeat, scratch)
            finally:
                heartbeat.flush()
            fault_points.reach("job.discover.done")
            client.discovery.result(result)
            fault_points.reach("job.discover.reported")
    except (ClientError, OSError) as error:
        return _report_failure(
            error,
            lambda failure: client.discovery.result(DiscoverResult(epoch=epoch, failure=failure)),
        ).exit_code
    return ExitCode.OK


def _do(
    process: _Process,
    assignment: Assignment,
    heartbeat: HeartbeatSender,
    scratch: Path,
    spans: SpanRecorder,
) -> list[OutputResult]:
    with spans.span(SpanName.ISOLATION):
        process.isolation.wait(assignment.canaries)
    context = TaskContext(
        client=process.client,
        assignment=assignment,
        heartbeat=heartbeat,
        scratch=scratch,
        ffmpeg=find_ffmpeg(),
        spans=spans,
    )
    return run_task(context, lambda: claim_when_free(process.claim, heartbeat.check))


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


def _report_failure(
    cause: ClientError | OSError, report: Callable[[TaskFailure], None]
) -> _TaskEnd:
    """Report the failure, so that the API releases the task or gives it up at once."""
    error = cause if isinstance(cause, ClientError) else RetryableError("ScratchFailed", str(cause))
    if is_lease_lost(error):
        return _TaskEnd(_exit(error), may_go_on=True)
    try:
        report(task_failure(error))
    except ClientError as unreported:
        sys.stderr.write(f"{unreported.code}: the failure was not reported: {unreported}\n")
        if is_lease_lost(unreported):
            return _TaskEnd(ExitCode.LEASE_LOST, may_go_on=True)
        if not isinstance(unreported, PermanentError):
            # The API does not know of the failure: the next process has to find it again.
            return _TaskEnd(ExitCode.RETRY)
        return _TaskEnd(_exit(error))
    is_of_process = isinstance(error, NotIsolatedError) or error.code == INTERRUPTED
    return _TaskEnd(_exit(error), may_go_on=not is_of_process)


if __name__ == "__main__":
    forbid_inspection()
    sys.exit(main(os.environ, sys.argv[1:]))
