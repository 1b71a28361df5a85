"""Generate the files of recipes, each once a session."""

from __future__ import annotations

import struct
import subprocess
from hashlib import sha256
from pathlib import Path

import imageio_ffmpeg

from inputs import cards
from inputs.cards import Card, Tone
from inputs.recipe import Ffmpeg, Join, Patch, Recipe, Step, Truncate, Write

TIMEOUT_S = 180


class Files:
    """The generated files of a session, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._raw = folder / "raw"
        self._raw.mkdir(parents=True, exist_ok=True)

    def of(self, recipe: Recipe) -> Path:
        """Return the file of a recipe, which is generated at the first call."""
        place = self.folder / recipe.name
        path = place / recipe.file
        if not path.exists():
            place.mkdir(exist_ok=True)
            for step in recipe.steps:
                self._do(step, place)
        return path

    def silent_clip(self, seconds: float) -> Path:
        """Return a clip without sound, for music to play under."""
        path = self.folder / f"silent-{seconds:g}.mp4"
        if not path.exists():
            codec = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
            self._ffmpeg((Card(seconds=seconds), *codec, path.name), self.folder)
        return path

    def _do(self, step: Step, place: Path) -> None:
        match step:
            case Ffmpeg(args):
                self._ffmpeg(args, place)
            case Join(parts, out):
                (place / out).write_bytes(b"".join((place / part).read_bytes() for part in parts))
            case Patch(source, old, new, out):
                content = (place / source).read_bytes()
                assert old in content, f"{source} does not hold {old!r}"
                assert len(old) == len(new)
                (place / out).write_bytes(content.replace(old, new, 1))
            case Truncate(source, share, out):
                content = (place / source).read_bytes()
                (place / out).write_bytes(content[: int(len(content) * share)])
            case Write(content, out, source):
                rest = (place / source).read_bytes() if source else b""
                (place / out).write_bytes(content + rest)

    def _ffmpeg(self, args: tuple[str | Card | Tone, ...], place: Path) -> None:
        argv = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-y"]
        for arg in args:
            argv += [arg] if isinstance(arg, str) else self._input(arg)
        done = subprocess.run(
            argv, cwd=place, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
        assert done.returncode == 0, f"{' '.join(argv)}\n{done.stderr[-2000:]}"

    def _input(self, source: Card | Tone) -> list[str]:
        path = self._raw / sha256(repr(source).encode()).hexdigest()[:20]
        if not path.exists():
            path.write_bytes(_content(source))
        if isinstance(source, Card):
            size = "x".join(map(str, source.size))
            form = ["-f", "rawvideo", "-pixel_format", source.pixel_format, "-video_size", size]
            return [*form, "-framerate", source.rate, "-i", str(path)]
        return ["-f", "wav", "-i", str(path)]


def _content(source: Card | Tone) -> bytes:
    """Raw pictures, or a WAV file: the time stamps of raw samples cannot be shifted."""
    if isinstance(source, Card):
        return cards.draw(source).tobytes()
    samples = cards.sound(source)
    channels, size = samples.shape[1], 4
    form = struct.pack(
        "<HHIIHH", 3, channels, source.rate, source.rate * channels * size, channels * size, 32
    )
    data = samples.tobytes()
    body = (
        b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(data))
    )
    return b"RIFF" + struct.pack("<I", len(body) + len(data)) + body + data
