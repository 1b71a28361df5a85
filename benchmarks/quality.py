"""Compare a result with that of another command: frames, pictures and loudness."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import av

from clipmill_job.ffmpeg_binary import find_ffmpeg

_SAME = "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv"
# Frames are compared by their number.
_NUMBERED = f"{_SAME},settb=1/90000,setpts=N"


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


class Unencoded(NamedTuple):
    """Structural similarity of two results to the pictures that the bare command encodes."""

    ours: float
    other: float

    def row(self) -> tuple[str, str, str, str]:
        """Return a row of a table of figures."""
        figures = (f"SSIM {self.ours:.3f}", f"{self.other:.3f} of bare")
        return ("the result, against pictures before encoding", *figures, "as bare")


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


def unencoded(
    bare: Sequence[str],
    ours: Path,
    other: Path,
    *,
    pictures: str = "v",
    unused: Sequence[str] = ("a",),
) -> Unencoded:
    """Compare two results with the pictures of the bare command's graph, before encoding.

    Args:
        bare: The bare command.
        ours: One result.
        other: The result of the bare command.
        pictures: The label of the graph's output that was encoded into both.
        unused: The labels of its other outputs: those of sound begin with an `a`.
    """
    at = bare.index("-filter_complex")
    inputs, graph = bare[:at], bare[at + 1]
    files, count = ("-i", str(ours), "-i", str(other)), inputs.count("-i")
    parts = [
        graph,
        f"[{pictures}]{_NUMBERED},split[u0][u1]",
        *(f"[{count + i}:v]{_NUMBERED}[r{i}];[r{i}][u{i}]ssim[out{i}]" for i in (0, 1)),
        *(f"[{label}]{'anullsink' if label[0] == 'a' else 'nullsink'}" for label in unused),
    ]
    # The bare command logs errors only.
    mapped = ("-map", "[out0]", "-map", "[out1]", "-v", "info")
    log = _log_of(*inputs[1:], *files, "-filter_complex", ";".join(parts), *mapped)
    reports = re.findall(r"Parsed_ssim_(\d+) .*All:([0-9.]+)", log)
    values = [float(value) for _, value in sorted(reports, key=lambda each: int(each[0]))]
    return Unencoded(*values)


def ssim(one: Path, other: Path) -> float:
    """Return the mean structural similarity of two results' pictures as they are stored.

    Both count as BT.709: ffmpeg converts one of two pictures that declare different matrices.
    """
    graph = f"[0:v]{_NUMBERED}[a];[1:v]{_NUMBERED}[b];[a][b]ssim"
    log = _log_of("-i", str(one), "-i", str(other), "-lavfi", graph)
    match = re.search(r"SSIM .*All:([0-9.]+)", log)
    return float(match[1]) if match else 0.0


def _log_of(*args: str) -> str:
    """Return what ffmpeg logs while it reads its inputs."""
    quiet = ("-nostdin", "-hide_banner", "-nostats")
    argv = (find_ffmpeg().path, *quiet, *args, "-f", "null", "-")
    return subprocess.run(argv, capture_output=True, text=True, check=True).stderr
