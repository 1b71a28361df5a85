"""The progress of a compilation: bars on a terminal, otherwise a line at each change of state."""

from __future__ import annotations

from datetime import datetime
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Column

from clipmill.protocol import QUEUED, ClipState, CompilationState, CompilationView
from clipmill_cli.output.terminal import local_time, plain, print_line
from clipmill_client.errors import ClientError

BAR_CELLS = 24
MAX_LOG_CHARS = 60
# Between two lines about one outage, where there is no terminal.
OUTAGE_LINE_EVERY_S = 30
_REST = Column(ratio=1, no_wrap=True, overflow="ellipsis")


def state_text(view: CompilationView) -> str:
    """Return the state with its counts, such as `fetching: 3 of 5 clips ready, 1 skipped`."""
    skipped = sum(clip.state is ClipState.SKIPPED for clip in view.clips)
    suffix = f", {skipped} skipped" if skipped else ""
    if view.reason == QUEUED:
        return f"queued: {view.message or 'waits for a job to start'}{suffix}"
    if view.state in (CompilationState.PENDING, CompilationState.FETCHING):
        ready = sum(clip.state is ClipState.READY for clip in view.clips)
        return f"fetching: {ready} of {len(view.clips)} clips ready{suffix}"
    return f"{view.state.lower()}{suffix}"


def eta_text(view: CompilationView, now: datetime | None = None) -> str:
    """Return `, done at about 02:31:10` in local time, or nothing while there is no estimate."""
    return f", done at about {local_time(view.eta, now)}" if view.eta else ""


class LiveProgress:
    """Shows each view that it is called with, on stderr, within its `with` block."""

    def __init__(self, err: Console) -> None:
        self._err = err
        self._last_text = ""
        self._outage_s: float | None = None
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=BAR_CELLS),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[text]}", markup=False, table_column=_REST),
            console=err,
            expand=True,
            disable=not err.is_terminal,
            transient=True,
        )
        self._clips_bar = self._bars.add_task("clips", total=None, text="")
        self._total_bar = self._bars.add_task("total", total=100, text="waiting for the API")

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def __call__(self, view: CompilationView) -> None:
        """Show the current state of the compilation."""
        self._end_outage()
        clips, settled = len(view.clips), sum(c.state is not ClipState.WAITING for c in view.clips)
        text = state_text(view)
        log_line = plain(view.log[-1], MAX_LOG_CHARS).plain if view.log else ""
        self._bars.update(
            self._clips_bar, completed=settled, total=clips, text=f"{settled}/{clips}"
        )
        self._bars.update(
            self._total_bar, completed=view.percent, text=f"{text}{eta_text(view)}  {log_line}"
        )
        if text != self._last_text:
            self._print_line(text)
        self._last_text = text

    def outage(self, error: ClientError, seconds: float) -> None:
        """Show that the API is away, and for how long it has been."""
        self._bars.update(
            self._total_bar, text=f"API away, retrying for {seconds:.0f} s: {plain(error)}"
        )
        is_due = self._outage_s is None or seconds >= self._outage_s + OUTAGE_LINE_EVERY_S
        if is_due:
            self._outage_s = seconds
            self._print_line(f"API away, retrying for {seconds:.0f} s: {error}")

    def _end_outage(self) -> None:
        if self._outage_s is not None:
            self._print_line("the API answers again")
        self._outage_s = None

    def _print_line(self, text: str) -> None:
        if not self._err.is_terminal:
            print_line(self._err, text)
