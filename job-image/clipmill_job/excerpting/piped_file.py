"""A file whose bytes another process reads: the copying process has no connections of its own."""

from __future__ import annotations

import io
import json
import os
import sys

HEAD_BYTES = 4


class PipedFile(io.RawIOBase):
    """A file for PyAV. Asks for bytes on standard output and reads them from standard input."""

    def __init__(self, number: int, size: int) -> None:
        super().__init__()
        self._number, self._size, self._at = number, size, 0

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes from the position on; none at the end."""
        if self._at >= self._size:
            return b""
        left = self._size - self._at
        count = left if size < 0 else min(size, left)
        sys.stdout.write(json.dumps({"read": [self._number, self._at, count]}) + "\n")
        sys.stdout.flush()
        length = int.from_bytes(_read_exactly(HEAD_BYTES))
        data = _read_exactly(length)
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Set the position."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readable(self) -> bool:
        """Return whether bytes can be read."""
        return True

    def seekable(self) -> bool:
        """Return whether the position can be set."""
        return True


def _read_exactly(size: int) -> bytes:
    data = sys.stdin.buffer.read(size)
    if len(data) < size:
        raise OSError("the source can no longer be read")
    return data
