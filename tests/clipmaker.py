"""Test media made by the real ffmpeg: small, short, and each with one property worth a test."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import av
import imageio_ffmpeg

SIZE = "320x180"


def ffmpeg(*args: str) -> None:
    """Run ffmpeg on a list of arguments; its last lines are the error's text."""
    argv = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-y", *args]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{' '.join(argv)}\n{done.stderr[-2000:]}"


def clip(
    path: Path,
    *,
    seconds: float = 2,
    rate: str = "30",
    size: str = SIZE,
    sound: str | None = "sine=frequency=440:sample_rate=48000",
    sound_s: float | None = None,
    picture: str = "testsrc2",
    extra: tuple[str, ...] = (),
) -> Path:
    """A clip with a moving picture and a tone; the container is the file's extension's."""
    webm = path.suffix == ".webm"
    video = ("libvpx", "-b:v", "500k") if webm else ("libx264", "-preset", "ultrafast")
    join = ":" if "=" in picture else "="
    inputs = ["-f", "lavfi", "-t", str(seconds), "-i", f"{picture}{join}size={size}:rate={rate}"]
    if sound:
        inputs += ["-f", "lavfi", "-t", str(sound_s or seconds), "-i", sound]
    codecs = ["-c:v", *video, "-pix_fmt", "yuv420p"]
    codecs += ["-c:a", "libopus" if webm else "aac"] if sound else []
    ffmpeg(*inputs, *codecs, *extra, str(path))
    return path


def cut_file(source: Path, target: Path, share: float) -> Path:
    """The first `share` of a file's bytes: what a broken download leaves."""
    data = source.read_bytes()
    target.write_bytes(data[: int(len(data) * share)])
    return target


def frame_times(path: Path) -> list[Fraction]:
    """When each decoded frame is shown, in order, in seconds."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [f.pts * Fraction(f.time_base) for f in container.decode(stream)]


def sample_count(path: Path) -> int:
    """Decoded samples of one channel."""
    with av.open(str(path)) as container:
        return sum(f.samples for f in container.decode(container.streams.audio[0]))
