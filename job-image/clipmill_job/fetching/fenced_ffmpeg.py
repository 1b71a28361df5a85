"""ffmpeg for yt-dlp: the real program behind limits and whitelists that yt-dlp does not set.

yt-dlp starts ffmpeg to merge tracks and to repair containers. Without whitelists, a playlist that
is named like a video would make it open other files and addresses.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Sequence
from pathlib import Path

from clipmill_job.fetching.module_script import write_module_script

MEMORY_BYTES = 2 * 1024**3
CPU_S = 600
# Demuxers of downloaded tracks. None of them opens another file.
DEMUXERS = ("mov", "matroska", "mpegts", "flv", "mp3", "aac", "ogg", "wav", "mpeg", "m4v", "h264")
FENCE = ("-protocol_whitelist", "file,pipe", "-format_whitelist", ",".join(DEMUXERS))


def write_ffmpeg(folder: Path, ffmpeg: str) -> str:
    """Write an executable `ffmpeg` into a folder and return its path."""
    return write_module_script(folder / "ffmpeg", __name__, ffmpeg)


def fence_inputs(arguments: Sequence[str]) -> list[str]:
    """Return ffmpeg's arguments with the whitelists before each input."""
    fenced: list[str] = []
    for argument in arguments:
        fenced += (*FENCE, argument) if argument == "-i" else (argument,)
    return fenced


def main(argv: list[str]) -> None:
    """Limit this process and replace it by ffmpeg."""
    ffmpeg, *arguments = argv
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.execv(ffmpeg, [ffmpeg, "-nostdin", *fence_inputs(arguments)])  # noqa: S606  no shell


if __name__ == "__main__":
    main(sys.argv[1:])
