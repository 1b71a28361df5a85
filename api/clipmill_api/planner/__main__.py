"""`python -m clipmill_api.planner FD`: answer the calls that arrive at an inherited connection."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from multiprocessing.connection import Connection
from typing import Any

from clipmill.process_privacy import forbid_inspection
from clipmill_api.context import Context, create_context, utc_now
from clipmill_api.database import UNAVAILABLE, Database
from clipmill_api.http.problem_details import ApiProblem
from clipmill_api.planner.plan_calls import PlanCall
from clipmill_api.planner.plan_process import PlanReply
from clipmill_api.responsiveness import keep_responsive

# The API goes first where there are not enough processors.
NICENESS = 10
# It takes 100 MiB and ends when nothing is planned for this long.
IDLE_S = 600.0


def serve(connection: Connection[Any, Any]) -> None:
    """Answer calls until the API closes the connection, or none has come for a while."""
    settings = connection.recv()
    db = Database(settings.database, timeout_s=settings.database_timeout_s)
    ctx = create_context(settings, db, utc_now)
    keep_responsive()
    while connection.poll(IDLE_S):
        call, now = connection.recv()
        connection.send(reply_to(ctx, call, now))


def reply_to(ctx: Context, call: PlanCall, now: datetime) -> PlanReply:
    """Return the reply of a call.

    Args:
        ctx: Objects of this process.
        call: The call.
        now: The time by the API's clock.
    """
    try:
        return PlanReply(call.run(replace(ctx, clock=lambda: now)))
    except ApiProblem as problem:
        return PlanReply(
            problem=(problem.status, problem.code, problem.detail), facts=problem.facts
        )
    except UNAVAILABLE:
        return PlanReply(is_unavailable=True)
    except Exception:
        return PlanReply(error=traceback.format_exc())


if __name__ == "__main__":
    forbid_inspection()
    # Ctrl-C reaches all processes of a terminal; the API closes the connection when it ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICENESS)
    with suppress(EOFError, OSError), Connection(int(sys.argv[1])) as inherited:
        serve(inherited)
