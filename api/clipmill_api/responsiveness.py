"""Keep the event loop responsive while threads plan and many objects live."""

from __future__ import annotations

import gc
import sys

# Threads that compute hand the interpreter over after this time instead of 5 ms. Each system call
# of the event loop waits for it once.
SWITCH_INTERVAL_S = 0.0005
# Planning creates 40,000 objects. With the default thresholds it starts full collections, each of
# which stops all threads for a tenth of a second or more.
GC_THRESHOLDS = (20_000, 20, 100)


def keep_responsive() -> None:
    """Tune the interpreter. Call it once, after all modules are loaded and the app is created."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.set_threshold(*GC_THRESHOLDS)
    # What exists now lives as long as the process and need not be scanned again. A collection
    # before this takes a tenth of a second and finds nothing.
    gc.freeze()
