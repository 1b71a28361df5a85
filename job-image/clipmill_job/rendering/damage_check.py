"""Judge the sources of rendered segments of which ffmpeg's decoders complained.

Pictures are decoded once, when they are rendered. Where no decoder and no demuxer wrote to ffmpeg's
log, all went well. Else the pictures that the segment plays of the source are decoded once more and
counted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from clipmill.protocol import Segment, SourceRange
from clipmill_client.errors import PermanentError
from clipmill_probe import MediaError, find_damage

DAMAGED = "Damaged"
# Lines of ffmpeg's log that say nothing of the pictures of a source: those of filters, encoders and
# of sound, and repetitions of the line before.
_UNRELATED = re.compile(
    r"\[(swscaler|swresampler|libx264|null|mov|aac|mp3|opus|vorbis|ac3|pcm_\w+|flac) @"
    r"|\[(auto_|Parsed_|aist#|aost#|vost#|af#|vf#|fc#|out#)"
    r"| *Last message repeated"
)


def concerns_pictures(lines: Sequence[str]) -> bool:
    """Return whether a line of ffmpeg's log may be about the pictures of a source."""
    return any(line.strip() and not _UNRELATED.match(line) for line in lines)


class MediaInterval(NamedTuple):
    """An interval of a media file in seconds."""

    media_id: str
    start_s: Fraction
    end_s: Fraction


class DamageCheck:
    """Finds damaged intervals, each once, for several threads."""

    def __init__(self) -> None:
        self._found: dict[MediaInterval, str | None] = {}
        self._lock = Lock()

    def require_whole(self, segment: Segment, paths: Sequence[Path | None]) -> None:
        """Raise PermanentError (Damaged) if pictures of a segment's sources cannot be decoded.

        Args:
            segment: A rendered segment.
            paths: The file of each of its sources; None where there is no video.
        """
        damages = [
            self._damage(_interval(source, segment.profile.rate), path) if path else None
            for source, path in zip(segment.sources, paths, strict=True)
        ]
        broken = [i for i, damage in enumerate(damages) if damage]
        if broken:
            raise PermanentError(DAMAGED, str(damages[broken[0]]), sources=broken)

    def _damage(self, interval: MediaInterval, path: Path) -> str | None:
        # One at a time: it takes a processor, and outputs of one size play the same intervals.
        with self._lock:
            if interval not in self._found:
                self._found[interval] = _damage(path, interval)
            return self._found[interval]


def _damage(path: Path, interval: MediaInterval) -> str | None:
    try:
        return find_damage(path, start_s=interval.start_s, end_s=interval.end_s)
    except MediaError:
        # ffmpeg could read it.
        return None


def _interval(source: SourceRange, rate: int) -> MediaInterval:
    start, end = source.start, source.start + source.frames
    return MediaInterval(source.media_id or "", Fraction(start, rate), Fraction(end, rate))
