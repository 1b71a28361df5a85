"""Generate the clips to measure with: mixed sizes and rates, moving and noisy like games."""

from __future__ import annotations

import subprocess
from pathlib import Path

from clipmill_job.ffmpeg_binary import find_ffmpeg

FORMS = (
    ("1920x1080", "30"),
    ("1280x720", "60"),
    ("1920x1080", "60"),
    ("1080x1920", "30"),
    ("1280x720", "25"),
    ("854x480", "24"),
    ("1920x1080", "24"),
    ("640x360", "30"),
)


def make(
    folder: Path, count: int, seconds: float, forms: tuple[tuple[str, str], ...]
) -> list[Path]:
    """Return the paths of `count` clips; a clip that exists already is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    return [_one(folder, i, seconds, *forms[i % len(forms)]) for i in range(count)]


def _one(folder: Path, i: int, seconds: float, size: str, rate: str) -> Path:
    path = folder / f"{i:02d}-{size}-{rate}-{seconds:g}s.mp4"
    if path.exists():
        return path
    picture = f"testsrc2=size={size}:rate={rate},hue=h={i * 40},noise=alls=10:allf=t"
    sound = f"anoisesrc=r=48000:a={0.05 + i % 4 * 0.1:.2f}:seed={i}"
    part = path.with_suffix(".part")
    argv = (
        *(find_ffmpeg().path, "-nostdin", "-v", "error", "-y"),
        *("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound, "-t", str(seconds)),
        *("-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-pix_fmt", "yuv420p"),
        *("-c:a", "aac", "-f", "mp4", str(part)),
    )
    subprocess.run(argv, check=True)
    part.rename(path)
    return path
