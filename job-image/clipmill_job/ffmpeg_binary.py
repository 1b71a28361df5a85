"""Where ffmpeg is: on the PATH when it is new enough, else in a wheel."""

from __future__ import annotations

import re
import shutil
import subprocess

OLDEST = 9
"""First release that our arguments are tested with: 7.0 gives other frames for many of them."""


def ffmpeg() -> str:
    """The path of an ffmpeg with libx264."""
    found = shutil.which("ffmpeg")
    if found and new_enough(_version(found)):
        return found
    import imageio_ffmpeg  # noqa: PLC0415  only where it is needed: it looks for the binary

    return str(imageio_ffmpeg.get_ffmpeg_exe())


def _version(path: str) -> str:
    asked = subprocess.run(  # noqa: S603  an argument tuple, no shell
        (path, "-hide_banner", "-version"), capture_output=True, text=True, timeout=20, check=False
    )
    return asked.stdout


def version_line(path: str) -> str:
    """What an ffmpeg says of itself in its first line."""
    return _version(path).partition("\n")[0]


def new_enough(version: str) -> bool:
    """Whether `ffmpeg -version` tells of a release that understands our arguments."""
    found = re.match(r"ffmpeg version n?(\d+)", version)
    if found is None or "--enable-libx264" not in version:
        return False
    return int(found[1]) >= OLDEST
