"""A file at a web server, read by byte ranges with the connections of yt-dlp."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from yt_dlp import YoutubeDL
from yt_dlp.networking import Request
from yt_dlp.networking.exceptions import TransportError

FIRST_BLOCK = 128 * 1024
LARGEST_BLOCK = 1024 * 1024
CACHE_BYTES = 96 * 1024 * 1024
# Requests that are tried again after a connection broke.
ATTEMPTS = 3
OnBytes = Callable[[int], None]


class NoRanges(Exception):
    """The server sends whole files only."""


class SourceChanged(OSError):
    """The file is another one than at the first request."""


class RangedSource:
    """A file of known size; blocks that were read are kept.

    Args:
        downloader: Opens the connections, behind the egress guard.
        url: Address of the file.
        headers: Headers of each request.
        on_bytes: Called with the number of bytes of each block.

    Raises:
        NoRanges: The server does not serve byte ranges.
        yt_dlp.networking.exceptions.RequestError: The request failed.
    """

    def __init__(
        self, downloader: YoutubeDL, url: str, headers: Mapping[str, str], on_bytes: OnBytes
    ) -> None:
        self._downloader, self._url, self._headers = downloader, url, dict(headers)
        self._on_bytes = on_bytes
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._cached_bytes = 0
        self._version: tuple[int, str] | None = None
        self.size = FIRST_BLOCK
        self.head = self.read(0, 4096)

    def read(self, offset: int, size: int) -> bytes:
        """Return bytes from an offset on: at least one before the end, and at most `size`."""
        if offset >= self.size or size <= 0:
            return b""
        start, block = self._block(offset, size)
        return block[offset - start : offset - start + size]

    def _block(self, offset: int, size: int) -> tuple[int, bytes]:
        """Return the block that holds an offset; after a block comes one twice as large."""
        length = FIRST_BLOCK
        for start, block in self._blocks.items():
            if start <= offset < start + len(block):
                self._blocks.move_to_end(start)
                return start, block
            if start + len(block) == offset:
                length = min(2 * len(block), LARGEST_BLOCK)
        block = self._fetch(offset, max(length, min(size, LARGEST_BLOCK)))
        self._keep(offset, block)
        return offset, block

    def _keep(self, offset: int, block: bytes) -> None:
        self._blocks[offset] = block
        self._cached_bytes += len(block)
        while self._cached_bytes > CACHE_BYTES:
            self._cached_bytes -= len(self._blocks.popitem(last=False)[1])

    def _fetch(self, offset: int, length: int) -> bytes:
        end = min(offset + length, self.size if self._version else offset + length)
        for attempt in range(ATTEMPTS):
            try:
                block = self._request(offset, end)
            except TransportError:
                if attempt == ATTEMPTS - 1:
                    raise
                continue
            if block:
                self._on_bytes(len(block))
                return block
        raise SourceChanged(f"the source sent no bytes of {offset} to {end}")

    def _request(self, offset: int, end: int) -> bytes:
        headers = {**self._headers, "Range": f"bytes={offset}-{end - 1}"}
        response: Any = self._downloader.urlopen(Request(self._url, headers=headers))
        with response:
            if response.status != 206:
                raise NoRanges
            self._check_version(response.headers, offset)
            return bytes(response.read(end - offset))

    def _check_version(self, headers: Mapping[str, str], offset: int) -> None:
        """Raise NoRanges or SourceChanged by the range and version that the server declares."""
        unit, _, rest = str(headers.get("Content-Range") or "").partition(" ")
        served, _, size = rest.partition("/")
        if unit != "bytes" or not size.isdecimal() or not served.startswith(f"{offset}-"):
            raise NoRanges
        version = (int(size), str(headers.get("ETag") or headers.get("Last-Modified") or ""))
        if self._version not in (None, version):
            raise SourceChanged("the source changed while it was fetched")
        self._version, self.size = version, int(size)
