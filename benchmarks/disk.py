"""Sample how much disk some folders take while a command runs."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

INTERVAL_S = 0.5
Value = TypeVar("Value")


def peak_mib(folders: Sequence[Path], work: Callable[[], Value]) -> tuple[Value, float]:
    """Return what `work` returns, and the peak size in MiB of the folders meanwhile."""
    over, sizes = threading.Event(), [0]

    def watch() -> None:
        while not over.wait(INTERVAL_S):
            sizes.append(size(folders))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        value = work()
    finally:
        over.set()
        thread.join()
    return value, max(*sizes, size(folders)) / 2**20


def size(folders: Sequence[Path]) -> int:
    """Return the bytes that the files of folders take; a file with two names counts once."""
    blocks: dict[tuple[int, int], int] = {}
    for folder in folders:
        for root, _, names in os.walk(folder):
            for name in names:
                try:
                    entry = os.lstat(os.path.join(root, name))
                except FileNotFoundError:  # Deleted since it was listed.
                    continue
                blocks[entry.st_dev, entry.st_ino] = entry.st_blocks * 512
    return sum(blocks.values())
