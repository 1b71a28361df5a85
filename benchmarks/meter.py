"""Run a command and measure wall time, processor time and the peak memory of its processes."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import monotonic
from typing import NamedTuple

import psutil

# Reading the memory of a large process takes a tenth of a second of processor time.
INTERVAL_S = 0.5
# Programs whose children are forks that go on as such.
FORKING = {
    "clipmill_job.fetching.downloader_process",
    "clipmill_job.prefork",
    "clipmill_probe.children.decoder_process",
}


class Cost(NamedTuple):
    """What a command cost, with all the processes that it started."""

    wall_s: float
    processor_s: float
    peak_mib: float


def run(argv: Sequence[str], *, codes: tuple[int, ...] = (0,)) -> Cost:
    """Run a command to its end. Raise SystemExit if its exit code is not one of `codes`."""
    before, began = _children_s(), monotonic()
    child = subprocess.Popen(
        argv, env=_installed_environ(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    peak = _Peak(child.pid)
    output, _ = child.communicate()
    wall_s = monotonic() - began
    peak.stop()
    if child.returncode not in codes:
        raise SystemExit(f"{argv[0]} ended with {child.returncode}:\n{output.decode()[-2000:]}")
    return Cost(wall_s, _children_s() - before, peak.mib)


def _installed_environ() -> dict[str, str]:
    """Return this environment, in which Python keeps what it compiles, as pip does."""
    environ = dict(os.environ)
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    return environ


def spread(values: Sequence[float], digits: int = 1, unit: str = " s") -> str:
    """Return the median, and the least and the greatest of several values: `3.0 s (2.8 to 3.4)`."""
    middle = f"{median(values):.{digits}f}{unit}"
    if len(values) == 1:
        return middle
    return f"{middle} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def walls(costs: Sequence[Cost]) -> str:
    """Return the wall times of runs."""
    return spread([cost.wall_s for cost in costs])


def ratios(costs: Sequence[Cost], bases: Sequence[Cost]) -> tuple[str, str]:
    """Return wall and processor time of runs against those of the same rounds' other runs."""
    pairs = list(zip(costs, bases, strict=True))
    return (
        spread([cost.wall_s / base.wall_s for cost, base in pairs], 2, ""),
        spread([cost.processor_s / base.processor_s for cost, base in pairs], 2, ""),
    )


def shares(costs: Sequence[Cost], bases: Sequence[Cost]) -> str:
    """Return the wall time of runs as a share of those of the same rounds' other runs."""
    pairs = zip(costs, bases, strict=True)
    return spread([100 * cost.wall_s / base.wall_s for cost, base in pairs], 1, " %")


def print_figures(rows: Sequence[tuple[str, str, str, str]]) -> None:
    """Print a table: what was measured, the figure, its ratio to an alternative, and the goal."""
    print("| what | figure | against | goal |\n|---|---|---|---|")
    for row in rows:
        print("| " + " | ".join(row) + " |")


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class _Peak:
    """Peak resident memory of a process and its descendants, sampled every half a second."""

    def __init__(self, pid: int) -> None:
        self.mib = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, args=(pid,))
        self._thread.start()

    def stop(self) -> None:
        """Stop sampling."""
        self._over.set()
        self._thread.join()

    def _watch(self, pid: int) -> None:
        while not self._over.wait(INTERVAL_S):
            self.mib = max(self.mib, _resident(pid) / 2**20)


def _resident(pid: int) -> int:
    try:
        top = psutil.Process(pid)
        return _own(top) + sum(_own(p) for p in top.children(recursive=True) if not _forked(p))
    except psutil.NoSuchProcess:
        return 0


def _forked(process: psutil.Process) -> bool:
    """Return whether the process is about to run a program, and still shares all memory.

    A job that is forked from a process with all its modules goes on as it is, and counts.
    """
    try:
        parent, command = process.parent(), process.cmdline()
        return parent is not None and command == parent.cmdline() and FORKING.isdisjoint(command)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def _own(process: psutil.Process) -> int:
    # Proportional: what two processes share is counted once.
    try:
        return int(process.memory_full_info().pss)
    except (psutil.NoSuchProcess, psutil.AccessDenied, OSError):
        return 0


def program(name: str) -> str:
    """Return the path of a program of this environment."""
    return str(Path(sys.executable).with_name(name))
