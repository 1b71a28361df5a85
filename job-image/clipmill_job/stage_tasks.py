"""Run the task of a stage.

A pod works for one stage: the modules of the others, such as those that draw text, take as long to
load as the rest of its start, and are not loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from clipmill.protocol import Assignment, OutputResult, Stage
from clipmill.shows.candidates import DiscoverAssignment, DiscoverResult
from clipmill_job.heartbeat_sender import HeartbeatSender
from clipmill_job.task_context import TaskContext

# Of all stages, for a process that jobs of all stages are forked from.
_MODULES = (
    "clipmill_job.assembling.assemble_task",
    "clipmill_job.discovering.discover_task",
    "clipmill_job.drawing.layer_drawing",
    "clipmill_job.fetching.fetch_task",
    "clipmill_job.rendering.render_task",
)


def preload() -> None:
    """Load the modules of all stages."""
    for name in _MODULES:
        import_module(name)


def run_task(context: TaskContext, claim_again: Callable[[], Assignment]) -> list[OutputResult]:
    """Run the task of the assignment's stage; return the outputs that it has assembled.

    Args:
        context: The task's.
        claim_again: Returns the next assignment of a render task.

    Raises:
        RetryableError, PermanentError: The task failed.
    """
    assignment = context.assignment
    if assignment.stage is Stage.ASSEMBLE:
        from clipmill_job.assembling.assemble_task import run_assemble_task  # noqa: PLC0415

        return run_assemble_task(context, assignment.assemble or [])
    if assignment.stage is Stage.RENDER:
        from clipmill_job.rendering.render_task import run_render_task  # noqa: PLC0415

        run_render_task(context, claim_again)
    elif assignment.fetch:
        from clipmill_job.fetching.fetch_task import run_fetch_task  # noqa: PLC0415

        run_fetch_task(context, assignment.fetch)
    return []


def run_discovery(
    assignment: DiscoverAssignment, heartbeat: HeartbeatSender, scratch: Path
) -> DiscoverResult:
    """Run the discover task of an episode. Raise RetryableError, PermanentError."""
    from clipmill_job.discovering.discover_task import run_discover_task  # noqa: PLC0415

    return run_discover_task(assignment, heartbeat, scratch)
