"""The upload of local files: a bar for each on a terminal, otherwise lines if it takes long."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn

from clipmill_cli.output.terminal import plain, print_line
from clipmill_client.transfer import UploadProgress, UploadStep

BAR_CELLS = 24
MAX_NAME_CHARS = 40
# Uploads that end within this time print no line, and later ones one at most this often.
LINE_EVERY_S = 3.0


class FileUploads:
    """Shows the progress of uploads, of several threads, within its `with` block.

    Args:
        err: Console of stderr.
        files: Number of files in all.
        clock: Clock in seconds.
    """

    def __init__(
        self, err: Console, files: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._err, self._files, self._clock = err, files, clock
        self._line_at = clock()
        self._numbers: dict[Path, int] = {}
        self._bars: dict[Path, tuple[UploadStep, TaskID]] = {}
        self._begun = 0
        self._lock = Lock()
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=BAR_CELLS),
            TaskProgressColumn(),
            console=err,
            disable=not err.is_terminal,
            transient=True,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def __call__(self, progress: UploadProgress) -> None:
        """Show how far one file is."""
        with self._lock:
            if progress.step is UploadStep.HASHING:
                self._begun += 1
                self._numbers[progress.path] = self._begun
            self._show_bar(progress)
            self._show_line(progress)

    def _text(self, progress: UploadProgress) -> str:
        name = plain(progress.path.name, MAX_NAME_CHARS)
        number = self._numbers.get(progress.path, self._begun)
        return f"{progress.step} {name} ({number} of {self._files})"

    def _show_bar(self, progress: UploadProgress) -> None:
        step, bar = self._bars.get(progress.path, (None, None))
        if bar is not None and step is not progress.step:
            self._progress.remove_task(bar)
            del self._bars[progress.path]
        if progress.step is UploadStep.DONE:
            return
        if progress.path not in self._bars:
            total = progress.size_bytes or None
            added = self._progress.add_task(self._text(progress), total=total)
            self._bars[progress.path] = progress.step, added
        self._progress.update(self._bars[progress.path][1], completed=progress.sent_bytes)

    def _show_line(self, progress: UploadProgress) -> None:
        now = self._clock()
        is_due = now - self._line_at >= LINE_EVERY_S
        if self._err.is_terminal or not is_due or progress.step is UploadStep.DONE:
            return
        self._line_at = now
        percent = ""
        if progress.size_bytes:
            percent = f": {100 * progress.sent_bytes // progress.size_bytes} %"
        print_line(self._err, f"{self._text(progress)}{percent}")
