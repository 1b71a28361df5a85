"""Test media made by the real ffmpeg: small, short, and each with one property worth a test."""

from __future__ import annotations

import subprocess
from array import array
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
    source, _, filters = picture.partition(",")
    shown = f"{source}=size={size}:rate={rate}" + (f",{filters}" if filters else "")
    inputs = ["-f", "lavfi", "-t", str(seconds), "-i", shown]
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


def counter(width: int = 320, bits: int = 8) -> str:
    """A picture that shows its own frame number as black and white stripes."""
    stripe = width // bits
    bright = f"if(bitand(floor(N/pow(2,floor(X/{stripe}))),1),235,16)"
    return f"nullsrc,geq=lum='{bright}':cb=128:cr=128"


def numbers(path: Path, bits: int = 8) -> list[int]:
    """The frame numbers that the frames of a `counter` show, in order."""
    with av.open(str(path)) as container:
        return [_number(frame, bits) for frame in container.decode(container.streams.video[0])]


def _number(frame: av.VideoFrame, bits: int) -> int:
    stripe = frame.width // bits
    lit = [luma(frame, stripe * i + stripe // 2, frame.height // 2) > 125 for i in range(bits)]
    return sum(1 << i for i, on in enumerate(lit) if on)


def luma(frame: av.VideoFrame, x: int, y: int) -> int:
    """Brightness of one pixel, 16 to 235."""
    plane = frame.planes[0]
    return memoryview(plane)[y * plane.line_size + x]


def frames(path: Path) -> list[av.VideoFrame]:
    """All decoded frames."""
    with av.open(str(path)) as container:
        return list(container.decode(container.streams.video[0]))


def samples(path: Path) -> array[float]:
    """All decoded samples of the first channel, as floats."""
    found = array("f")
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="fltp")
        for frame in container.decode(container.streams.audio[0]):
            for part in resampler.resample(frame):
                found.frombytes(bytes(part.planes[0])[: part.samples * 4])
    return found
