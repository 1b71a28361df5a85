"""A pod's process: claims its part, does it, tells how it ended; its exit code says the rest."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Mapping

from clipmill.protocol import Assignment, ExitCode, OutputResult, Result, Stage
from clipmill_client.client import Client
from clipmill_client.errors import ClientError, PermanentError, RetryableError
from clipmill_job import isolation_check
from clipmill_job.assembling.assemble_task import assemble
from clipmill_job.errors import GiveUp, JobError, Leave, TryAgain
from clipmill_job.fetching.fetch_task import fetch
from clipmill_job.heartbeats import Beat
from clipmill_job.rendering.render_task import Work, render
from clipmill_job.settings import Settings

PATIENCE_S = 180.0
"""How long a part may be held by another before this process leaves and is started again."""
AGAIN_S = 1.0
GONE = frozenset({"Ended", "LeaseLost", "Unauthorized"})


def main(environ: Mapping[str, str]) -> int:
    """Do one part; the exit code is the contract's ExitCode."""
    try:
        settings = Settings.from_environ(environ)
    except JobError as error:
        return _told(error)
    try:
        with Client(settings.api_url, settings.api_key) as client:
            return _part(client, settings)
    except JobError as error:
        return _told(error)
    finally:
        shutil.rmtree(settings.scratch, ignore_errors=True)


def _told(error: JobError) -> int:
    """One line for the pod's log."""
    sys.stderr.write(f"{error.code}: {error}\n")
    return error.exit_code


def _part(client: Client, settings: Settings) -> int:
    order = _claim(client, settings)
    try:
        with Beat(client, order) as beat:
            signal.signal(signal.SIGTERM, lambda *_: beat.interrupt("asked to leave (SIGTERM)"))
            _end(client, order, outputs=_do(client, order, beat, settings))
    except JobError as error:
        return _ended_badly(client, order, error)
    except RetryableError as error:
        return _ended_badly(client, order, TryAgain(error.code, error.detail))
    except PermanentError as error:
        kind = Leave if error.code in GONE else GiveUp
        return _ended_badly(client, order, kind(error.code, error.detail))
    except OSError as error:
        return _ended_badly(client, order, TryAgain("ScratchFailed", str(error)))
    return ExitCode.OK


def _claim(client: Client, settings: Settings) -> Assignment:
    """Our part; waits while another holds it, or fetches the same clip. Raises JobError."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            return client.order(settings.index, settings.holder)
        except RetryableError as error:
            if time.monotonic() > until:
                raise TryAgain(error.code, error.detail) from error
            time.sleep(AGAIN_S)
        except PermanentError as error:
            kind = Leave if error.code in GONE else GiveUp
            raise kind(error.code, error.detail) from error


def _do(client: Client, order: Assignment, beat: Beat, settings: Settings) -> list[OutputResult]:
    isolation_check.hold(order.canaries)
    if order.stage is Stage.FETCH:
        fetch(client, order, beat, settings.scratch)
        return []
    work = Work(client, order, beat, settings.scratch)
    if order.stage is Stage.RENDER:
        render(work, order.render or [])
        return []
    return assemble(work, order.assemble or [])


def _end(client: Client, order: Assignment, *, outputs: list[OutputResult]) -> None:
    """Tell that the part is done. A fetch ended with its upload."""
    if order.stage is not Stage.FETCH or order.fetch is None:
        client.result(Result(index=order.index, epoch=order.epoch, outputs=outputs))


def _ended_badly(client: Client, order: Assignment, error: JobError) -> int:
    """Tell why, so that the part is free for another try, or given up."""
    if not isinstance(error, Leave):
        result = Result(index=order.index, epoch=order.epoch, failure=error.failure())
        try:
            client.result(result)
        except ClientError as untold:
            sys.stderr.write(f"{untold.code}: could not be told: {untold}\n")
            if not isinstance(untold, PermanentError):
                # Nobody knows yet: another process will have to find it out again.
                return ExitCode.RETRY
    return _told(error)


if __name__ == "__main__":
    sys.exit(main(os.environ))
