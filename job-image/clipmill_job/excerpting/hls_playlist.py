"""Read an HLS media playlist: its fragments with their times. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urljoin

# A playlist with any of these has no plain time line, or is not complete.
UNSUPPORTED = {
    "#EXT-X-DISCONTINUITY": "its clock restarts",
    "#EXT-X-KEY:METHOD=AES": "it is encrypted",
    "#EXT-X-KEY:METHOD=SAMPLE": "it is encrypted",
    "#EXT-X-GAP": "it has gaps",
}
_ATTRIBUTE = re.compile(r'([A-Z-]+)=("[^"]*"|[^,]*)')


class UnsupportedPlaylist(ValueError):
    """No part of the playlist can be fetched alone. The message completes "the whole, since"."""


@dataclass(frozen=True, slots=True)
class HlsFragment:
    """A fragment: its URL, first byte and length in it if it is a part of it, and its times."""

    url: str
    start_us: int = 0
    end_us: int = 0
    offset: int = 0
    size: int | None = None


@dataclass(frozen=True, slots=True)
class HlsPlaylist:
    """The fragments in order, and the initialization section of MP4 fragments."""

    fragments: Sequence[HlsFragment]
    head: HlsFragment | None = None

    @property
    def length_us(self) -> int:
        """Length of all fragments."""
        return self.fragments[-1].end_us


def read_playlist(text: str, url: str) -> HlsPlaylist:
    """Return the fragments of a playlist. Raise UnsupportedPlaylist."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for tag, reason in UNSUPPORTED.items():
        if any(line.startswith(tag) for line in lines):
            raise UnsupportedPlaylist(reason)
    if "#EXT-X-ENDLIST" not in lines:
        raise UnsupportedPlaylist("it is not complete")
    fragments: list[HlsFragment] = []
    head, byte_range, seconds, at_us, previous_end = None, "", 0.0, 0, 0
    for line in lines:
        if line.startswith("#EXT-X-MAP:"):
            if head is not None:
                raise UnsupportedPlaylist("its form changes")
            values = {name: value.strip('"') for name, value in _ATTRIBUTE.findall(line[11:])}
            head = _fragment(urljoin(url, values.get("URI", "")), values.get("BYTERANGE", ""), 0)
        elif line.startswith("#EXTINF:"):
            seconds = _seconds(line[8:].split(",")[0])
        elif line.startswith("#EXT-X-BYTERANGE:"):
            byte_range = line[17:]
        elif not line.startswith("#"):
            end_us = at_us + round(seconds * 1_000_000)
            fragment = _fragment(urljoin(url, line), byte_range, previous_end, at_us, end_us)
            fragments.append(fragment)
            previous_end = fragment.offset + (fragment.size or 0)
            at_us, byte_range, seconds = end_us, "", 0.0
    if not fragments or not at_us:
        raise UnsupportedPlaylist("it has no fragments")
    return HlsPlaylist(fragments, head)


def _seconds(text: str) -> float:
    try:
        return max(0.0, float(text))
    except ValueError:
        raise UnsupportedPlaylist("its fragments have no lengths") from None


def _fragment(
    url: str, byte_range: str, previous_end: int, start_us: int = 0, end_us: int = 0
) -> HlsFragment:
    """Return a fragment; a byte range is `LENGTH@OFFSET`, by default after the one before."""
    size, _, offset = byte_range.partition("@")
    if not size.isdecimal() or not (offset or "0").isdecimal():
        return HlsFragment(url, start_us, end_us)
    return HlsFragment(url, start_us, end_us, int(offset or previous_end), int(size))


def window(playlist: HlsPlaylist, start_us: int, end_us: int) -> range:
    """Return the numbers of the fragments that play between two times; at least one."""
    fragments = playlist.fragments
    first = max((i for i, f in enumerate(fragments) if f.start_us <= max(0, start_us)), default=0)
    last = next((i for i, f in enumerate(fragments) if f.end_us >= end_us), len(fragments) - 1)
    return range(first, max(first, last) + 1)
