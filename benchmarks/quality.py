"""Compare a result with that of another command: frames, pictures and loudness."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import NamedTuple

import av

from clipmill_job.ffmpeg_binary import find_ffmpeg


class Quality(NamedTuple):
    """Video frames, structural similarity (1 is equal) and loudness in LUFS of two results."""

    frames: tuple[int, int]
    ssim: float
    lufs: tuple[float | None, float | None]

    def row(self) -> tuple[str, str, str, str]:
        """Return a row of a table of figures."""
        (ours, other), (level, other_level) = self.frames, self.lufs
        levels = f"{level} LUFS, {other_level} of bare"
        return (
            "the result",
            f"{ours} frames, {levels}",
            f"{other} frames, SSIM {self.ssim:.4f}",
            "0.99",
        )


def compared(path: Path, other: Path) -> Quality:
    """Compare two results, frame by frame."""
    return Quality(
        (count_frames(path), count_frames(other)),
        ssim(path, other),
        (loudness(path), loudness(other)),
    )


def count_frames(path: Path) -> int:
    """Return the number of video frames by the index of the file."""
    with av.open(str(path)) as container:
        return container.streams.video[0].frames


def loudness(path: Path, *trim: str) -> float | None:
    """Return the loudness of a file, or of the part that options of its input name, in LUFS."""
    meter_args = ("-map", "0:a", "-af", "ebur128=peak=true:framelog=quiet")
    integrated = re.findall(
        r"\bI:\s+(-?[0-9.]+) LUFS", _log_of(*trim, "-i", str(path), *meter_args)
    )
    return float(integrated[-1]) if integrated else None


def ssim(one: Path, other: Path) -> float:
    """Return the mean structural similarity of two results' pictures as they are stored.

    Both count as BT.709: ffmpeg would convert one of two pictures that declare other matrices.
    """
    same = "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv"
    numbered = f"{same},settb=1/90000,setpts=N"
    graph = f"[0:v]{numbered}[a];[1:v]{numbered}[b];[a][b]ssim"
    log = _log_of("-i", str(one), "-i", str(other), "-lavfi", graph)
    match = re.search(r"SSIM .*All:([0-9.]+)", log)
    return float(match[1]) if match else 0.0


def _log_of(*args: str) -> str:
    """Return what ffmpeg logs while it reads its inputs."""
    argv = (find_ffmpeg().path, "-nostdin", "-hide_banner", "-nostats", *args, "-f", "null", "-")
    return subprocess.run(argv, capture_output=True, text=True, check=True).stderr
