"""Levels of sound that are kept at the end of the media file that they are of.

They follow the media as an element that every reader skips: a box `free` in MP4 and QuickTime, an
element Void in Matroska. The last bytes of the file give their length.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from clipmill.ffmpeg.level_meter import LevelFiles
from clipmill.ffmpeg.segment_args import SegmentTarget
from clipmill.sound.sound_levels import SoundLevels, parse_levels
from clipmill.spec import AUDIO_RATE
from clipmill.spec.base import Model

MARK = b"cmlevels"
LENGTH_BYTES = 4
MAX_BYTES = 4 * 2**20
_MATROSKA = b"\x1a\x45\xdf\xa3"
_VOID = b"\xec"
_Attached = TypeVar("_Attached", bound=Model)


def attach(path: Path, model: Model) -> None:
    """Append a model to a media file."""
    payload = model.model_dump_json().encode()
    content = payload + MARK + len(payload).to_bytes(LENGTH_BYTES, "big")
    with path.open("r+b") as file:
        head = _matroska_head if file.read(4) == _MATROSKA else _box_head
        file.seek(0, 2)
        file.write(head(len(content)) + content)


def _box_head(size: int) -> bytes:
    return (8 + size).to_bytes(4, "big") + b"free"


def _matroska_head(size: int) -> bytes:
    return _VOID + (1 << 56 | size).to_bytes(8, "big")


def attached(path: Path, kind: type[_Attached]) -> _Attached | None:
    """Return the model at the end of a file; None if there is none that can be read."""
    footer = len(MARK) + LENGTH_BYTES
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - footer))
        mark, length = (end := file.read())[:-LENGTH_BYTES], int.from_bytes(end[-LENGTH_BYTES:])
        if mark != MARK or length > min(MAX_BYTES, size - footer):
            return None
        file.seek(size - footer - length)
        payload = file.read(length)
    try:
        return kind.model_validate_json(payload)
    except ValueError:
        return None


def read_level_files(folder: Path, files: LevelFiles, samples: int) -> SoundLevels:
    """Return what ffmpeg has measured of so many samples, and delete its files."""
    paths = [folder / files.energies, folder / files.peaks]
    energies, peaks = (path.read_text() for path in paths)
    for path in paths:
        path.unlink()
    return parse_levels(energies, peaks, unit=files.unit, samples=samples)


def attach_measured(target: SegmentTarget, folder: Path) -> None:
    """Attach the levels that the command of a segment has written into a folder, if any."""
    if target.levels:
        samples = target.segment.frames * AUDIO_RATE // target.segment.profile.rate
        attach(Path(target.out), read_level_files(folder, target.levels, samples))
