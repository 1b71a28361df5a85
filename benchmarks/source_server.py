"""Serve the sources of a benchmark by HTTP on this machine, at a limited rate."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO

CHUNK = 16_384


class SourceServer(ThreadingHTTPServer):
    """All connections share `bytes_per_s`; 0 is no limit."""

    daemon_threads = True
    bytes_per_s = 0.0

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), partial(_SourceHandler, directory=str(folder)))
        self._lock = threading.Lock()
        self._free_at = 0.0

    def wait_for(self, size: int) -> None:
        """Wait until so many bytes may be sent."""
        if not self.bytes_per_s:
            return
        with self._lock:
            now = time.monotonic()
            self._free_at = max(self._free_at, now) + size / self.bytes_per_s
            until = self._free_at
        time.sleep(max(0.0, until - now))


class _SourceHandler(SimpleHTTPRequestHandler):
    server: SourceServer

    def log_message(self, *_: object) -> None:
        """Do not log."""

    def copyfile(self, source: IO[bytes], outputfile: IO[bytes]) -> None:  # type: ignore[override]
        """Send a file at the server's rate."""
        while chunk := source.read(CHUNK):
            self.server.wait_for(len(chunk))
            try:
                outputfile.write(chunk)
            except OSError:
                return


@contextmanager
def serve(folder: Path) -> Iterator[SourceServer]:
    """Serve the files of a folder on this machine's loopback address."""
    server = SourceServer(folder)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
