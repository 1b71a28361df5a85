"""Fetch those fragments of an HLS playlist that a part needs, with the connections of yt-dlp."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from yt_dlp import YoutubeDL
from yt_dlp.networking import Request

from clipmill_job.excerpting.hls_playlist import (
    HlsFragment,
    HlsPlaylist,
    UnsupportedPlaylist,
    read_playlist,
    window,
)
from clipmill_job.excerpting.part_groups import LEAD_US, TAIL_US
from clipmill_job.excerpting.ranged_source import OnBytes

MAX_PLAYLIST_BYTES = 20_000_000
# As much of the first fragment holds the time stamps that the source starts with.
FIRST_BYTES = 300_000
BLOCK = 256 * 1024


class FragmentedSource:
    """A playlist that has been read. Raises UnsupportedPlaylist, and the errors of requests."""

    def __init__(
        self,
        downloader: YoutubeDL,
        chosen: Mapping[str, Any],
        headers: Mapping[str, str],
        on_bytes: OnBytes,
    ) -> None:
        self._downloader, self._headers, self._on_bytes = downloader, headers, on_bytes
        text, url = chosen.get("hls_media_playlist_data"), str(chosen["url"])
        if not text:
            response = self._open(url, {})
            with response:
                text = response.read(MAX_PLAYLIST_BYTES).decode("utf-8", "replace")
                url = response.url
        self._playlist: HlsPlaylist = read_playlist(text, url)

    @property
    def length_us(self) -> int:
        """Length of the source."""
        return self._playlist.length_us

    def fetch(self, start_us: int, end_us: int, path: Path) -> dict[str, Any]:
        """Fetch the fragments of a part; return them as the copying process reads them."""
        fragments = self._playlist.fragments
        start_us = min(start_us, self.length_us - 1) - LEAD_US
        numbers = window(self._playlist, start_us, end_us + TAIL_US)
        first = path.with_name(f"{path.name}.first")
        with first.open("wb") as file:
            self._append_head(file)
            self._append(file, fragments[0], most=FIRST_BYTES)
        with path.open("wb") as file:
            self._append_head(file)
            for i in numbers:
                self._append(file, fragments[i])
        return {
            "path": str(path),
            "first": str(first),
            "start_us": fragments[numbers[0]].start_us,
            "length_us": self.length_us,
            "is_end": numbers[-1] == len(fragments) - 1,
        }

    def _append_head(self, file: BinaryIO) -> None:
        if self._playlist.head:
            self._append(file, self._playlist.head)

    def _append(self, file: BinaryIO, fragment: HlsFragment, most: int | None = None) -> None:
        """Append a fragment, or its first `most` bytes, to a file."""
        size = min(filter(None, (fragment.size, most)), default=None)
        headers = {}
        if fragment.size is not None or most is not None:
            last = "" if size is None else str(fragment.offset + size - 1)
            headers["Range"] = f"bytes={fragment.offset}-{last}"
        response = self._open(fragment.url, headers)
        with response:
            if fragment.size is not None and response.status != 206:
                raise UnsupportedPlaylist("its server does not send spans of files")
            left = size
            while left != 0 and (
                block := response.read(BLOCK if left is None else min(BLOCK, left))
            ):
                file.write(block)
                self._on_bytes(len(block))
                left = None if left is None else left - len(block)

    def _open(self, url: str, headers: Mapping[str, str]) -> Any:
        return self._downloader.urlopen(Request(url, headers={**self._headers, **headers}))
