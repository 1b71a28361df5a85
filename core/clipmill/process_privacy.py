"""Keep other processes from reading the memory and the environment of a program that holds keys."""

from __future__ import annotations

import ctypes
import sys

# prctl(2): PR_SET_DUMPABLE of linux/prctl.h.
_SET_DUMPABLE = 4


def forbid_inspection() -> None:
    """Make this process non-dumpable, before it starts any other process.

    From then on a process of the same user, such as a media program that a hostile file has taken
    over, can neither trace it nor open /proc/PID/environ, mem, maps or fd. Only a process with
    CAP_SYS_PTRACE can, as root has it. Without effect where there is no /proc.

    Raises:
        OSError: The kernel refused.
    """
    if sys.platform != "linux":
        return
    if ctypes.CDLL(None, use_errno=True).prctl(_SET_DUMPABLE, 0, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_DUMPABLE) failed")
