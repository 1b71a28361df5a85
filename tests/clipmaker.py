"""Generate small test media by ffmpeg, each with one property to test."""

from __future__ import annotations

import subprocess
from array import array
from fractions import Fraction
from pathlib import Path

import av
import imageio_ffmpeg

SIZE = "320x180"


def ffmpeg(*args: str) -> None:
    """Run ffmpeg; fail with its last lines."""
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
    """Write a clip with moving video and a tone; the extension selects the container."""
    webm = path.suffix == ".webm"
    video = ("libvpx", "-b:v", "500k") if webm else ("libx264", "-preset", "ultrafast")
    source, _, filters = picture.partition(",")
    video_source = f"{source}=size={size}:rate={rate}" + (f",{filters}" if filters else "")
    inputs = ["-f", "lavfi", "-t", str(seconds), "-i", video_source]
    if sound:
        inputs += ["-f", "lavfi", "-t", str(sound_s or seconds), "-i", sound]
    codecs = ["-c:v", *video, "-pix_fmt", "yuv420p"]
    codecs += ["-c:a", "libopus" if webm else "aac"] if sound else []
    ffmpeg(*inputs, *codecs, *extra, str(path))
    return path


def truncate_file(source: Path, target: Path, share: float) -> Path:
    """Write the first `share` of a file's bytes, like a broken download."""
    data = source.read_bytes()
    target.write_bytes(data[: int(len(data) * share)])
    return target


def frame_times(path: Path) -> list[Fraction]:
    """Return the presentation time of each decoded frame in seconds."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [f.pts * Fraction(f.time_base) for f in container.decode(stream)]


def counter(width: int = 320, bits: int = 8) -> str:
    """Return a video source that shows its frame number as black and white stripes."""
    stripe = width // bits
    bright = f"if(bitand(floor(N/pow(2,floor(X/{stripe}))),1),235,16)"
    return f"nullsrc,geq=lum='{bright}':cb=128:cr=128"


def frame_numbers(path: Path, bits: int = 8) -> list[int]:
    """Return the frame numbers that the frames of a `counter` show."""
    with av.open(str(path)) as container:
        return [_number(frame, bits) for frame in container.decode(container.streams.video[0])]


def _number(frame: av.VideoFrame, bits: int) -> int:
    stripe = frame.width // bits
    lit = [luma(frame, stripe * i + stripe // 2, frame.height // 2) > 125 for i in range(bits)]
    return sum(1 << i for i, on in enumerate(lit) if on)


def luma(frame: av.VideoFrame, x: int, y: int) -> int:
    """Return the luma of one pixel, 16 to 235."""
    plane = frame.planes[0]
    return memoryview(plane)[y * plane.line_size + x]


def frames(path: Path) -> list[av.VideoFrame]:
    """Return all decoded frames."""
    with av.open(str(path)) as container:
        return list(container.decode(container.streams.video[0]))


def samples(path: Path) -> array[float]:
    """Return all decoded samples of the first channel as floats."""
    values = array("f")
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="fltp")
        for frame in container.decode(container.streams.audio[0]):
            for resampled in resampler.resample(frame):
                values.frombytes(bytes(resampled.planes[0])[: resampled.samples * 4])
    return values
