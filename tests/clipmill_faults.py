"""The fault injector that `clipmill.fault_points` loads in programs under test.

CLIPMILL_FAULT holds `point:action` or `point:action:nth`, several divided by commas. Actions are
`kill`, an errno such as `ENOSPC` or `EIO` (raised as OSError), and a number of seconds to sleep.
A fault happens once among all processes: it leaves a file of the point's name in
CLIPMILL_FAULT_FOLDER. With `nth` it happens when a process reaches the point for the nth time.
With `*` as nth it happens each time.
"""

from __future__ import annotations

import errno
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from clipmill.fault_points import POINTS


def injector(environ: Mapping[str, str]) -> Callable[[str], None]:
    """Return the function that is called with the name of each point that is reached."""
    faults = dict(_parse(fault) for fault in environ["CLIPMILL_FAULT"].split(","))
    folder = Path(environ["CLIPMILL_FAULT_FOLDER"])
    reached: Counter[str] = Counter()

    def inject(point: str) -> None:
        assert point in POINTS, point
        if point not in faults:
            return
        reached[point] += 1
        action, nth = faults[point]
        if nth == "*" or (reached[point] >= int(nth) and _is_first(folder / point)):
            _do(action, point)

    return inject


def _parse(fault: str) -> tuple[str, tuple[str, str]]:
    point, action, nth = [*fault.split(":"), "1"][:3]
    assert point in POINTS, point
    return point, (action, nth)


def _is_first(mark: Path) -> bool:
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def _do(action: str, point: str) -> None:
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif action.startswith("E"):
        code = getattr(errno, action)
        raise OSError(code, os.strerror(code), point)
    else:
        time.sleep(float(action))
