"""How the command line's process takes memory: set once at its start, before any thread."""

from __future__ import annotations

import ctypes
import gc

OBJECTS, USUAL = 50_000, 700
"""Looked through for garbage every so many new ones: what is loaded at the start is none, and
Python's usual 700 would take a sixth of the start for looking."""
ARENA_MAX, ARENAS = -8, 2
"""glibc's M_ARENA_MAX: by itself it gives every thread of the local API a heap of its own, eight a
processor, and none is given back: 30 MiB more after 50 clips."""


def settle() -> None:
    """At the start. Another C library than glibc has no arenas to limit."""
    gc.set_threshold(OBJECTS)
    limit = getattr(ctypes.CDLL(None), "mallopt", None)
    if limit is not None:
        limit(ARENA_MAX, ARENAS)


def loaded() -> None:
    """All is there: garbage is looked for as usual, but never among what was loaded."""
    gc.freeze()
    gc.set_threshold(USUAL)
