"""The render task that a local run starts while clips are still being fetched.

It renders what no further clip can change, and after the last clip what is left.
"""

from __future__ import annotations

from collections.abc import Callable

from clipmill.protocol import ClipState, CompilationView
from clipmill_cli.local.job_processes import JobProcess
from clipmill_cli.local.task_pool import TaskPool


class EarlyRendering:
    """Starts the render task once a clip is ready, and once only.

    A render task that fails costs nothing but time: the assembly renders what is missing.

    Args:
        start: Starts the job of the render task.
    """

    def __init__(self, start: Callable[[], JobProcess]) -> None:
        self._start = start
        self._pool: TaskPool | None = None

    @property
    def is_done(self) -> bool:
        """True while no process is running or waiting for a retry."""
        return self._pool is None or self._pool.is_done

    @property
    def ended(self) -> int:
        """Number of its processes that have ended."""
        return 0 if self._pool is None else self._pool.ended

    def start_if_useful(self, view: CompilationView) -> None:
        """Start the task if a clip is ready while another one is being fetched."""
        states = {clip.state for clip in view.clips}
        if self._pool is None and {ClipState.READY, ClipState.WAITING} <= states:
            self._pool = TaskPool(lambda _: self._start(), [0], workers=1)

    def step(self, now: float) -> None:
        """Handle the end of its process."""
        if self._pool is not None:
            self._pool.step(now)

    def stop_starting(self) -> None:
        """Start no further attempt."""
        if self._pool is not None:
            self._pool.stop_starting()

    def terminate(self) -> None:
        """End its process."""
        if self._pool is not None:
            self._pool.terminate()
