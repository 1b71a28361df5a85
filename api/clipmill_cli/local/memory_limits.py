"""Memory settings of the command line's process, made before any thread starts."""

from __future__ import annotations

import ctypes
import gc

# New objects between two garbage collections. What is loaded at start-up is never garbage, and
# at Python's default of 700 the collections would take a sixth of the start-up time.
STARTUP_THRESHOLD, DEFAULT_THRESHOLD = 50_000, 700
# glibc gives each thread of the local API a heap of its own (eight per processor) and returns
# none: 30 MiB more after 50 clips. M_ARENA_MAX limits the number of heaps.
M_ARENA_MAX, MAX_ARENAS = -8, 2


def limit_memory() -> None:
    """Limit the heaps and postpone garbage collection until everything is loaded.

    C libraries other than glibc have no heaps to limit.
    """
    gc.set_threshold(STARTUP_THRESHOLD)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_ARENA_MAX, MAX_ARENAS)


def freeze_loaded_objects() -> None:
    """Resume garbage collection, except among the objects that exist already."""
    gc.freeze()
    gc.set_threshold(DEFAULT_THRESHOLD)
