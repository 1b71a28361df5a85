"""Find a supported ffmpeg: the one on the PATH if it is recent enough, else the bundled one."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

from clipmill_client.errors import PermanentError
from clipmill_job import subprocesses

# Earlier releases return other frames for the same arguments: 7.0 does for many of them.
OLDEST_RELEASE = 9
VERSION_DEADLINE_S = 20.0


class FfmpegBinary(NamedTuple):
    """Path of an ffmpeg and the first line of its `-version`."""

    path: str
    version: str


def find_ffmpeg() -> FfmpegBinary:
    """Return an ffmpeg of at least OLDEST_RELEASE with libx264.

    Raises:
        PermanentError: Neither the one on the PATH nor the bundled one is supported.
    """
    on_path = shutil.which("ffmpeg")
    if on_path and is_supported(text := _version_text(on_path)):
        return FfmpegBinary(on_path, _first_line(text))
    bundled = _bundled_path()
    text = _version_text(bundled)
    if not is_supported(text):
        required = f"ffmpeg {OLDEST_RELEASE}.0 or later with libx264 is required"
        raise PermanentError("UnsupportedFfmpeg", f"{required}; {bundled} is {_first_line(text)!r}")
    return FfmpegBinary(bundled, _first_line(text))


def is_supported(version_text: str) -> bool:
    """Return whether the output of `ffmpeg -version` is that of a supported build."""
    release = re.match(r"ffmpeg version n?(\d+)", version_text)
    if release is None or "--enable-libx264" not in version_text:
        return False
    return int(release[1]) >= OLDEST_RELEASE


def _bundled_path() -> str:
    import imageio_ffmpeg  # noqa: PLC0415  not needed where the PATH has one

    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise PermanentError("UnsupportedFfmpeg", f"no ffmpeg is installed: {error}") from error


def _version_text(path: str) -> str:
    lines: list[str] = []
    argv = (path, "-hide_banner", "-version")
    scratch = Path(tempfile.gettempdir())
    try:
        subprocesses.run(argv, deadline_s=VERSION_DEADLINE_S, scratch=scratch, on_line=lines.append)
    except (subprocesses.ProcessFailed, subprocesses.DeadlineExceeded, OSError):
        return ""
    return "\n".join(lines)


def _first_line(text: str) -> str:
    return text.partition("\n")[0]
