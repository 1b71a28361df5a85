"""Generate clips like those of a stream: 1080p60 at 6 to 8 Mbit/s, with AAC, 20 to 40 s long.

A camera moves over a textured landscape, with sprites and grain over it. Two seconds between key
frames, as live streams have. Four seconds of each are encoded and then repeated by copying packets:
what is decoded per frame is the same, and twenty clips take minutes.
"""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw

from clipmill_job.ffmpeg_binary import find_ffmpeg

SIZE, RATE = (1920, 1080), 60
BASE_S = 4
CANVAS = (2880, 1620)
# Side of the smallest details of each octave of the landscape, in pixels.
OCTAVES = (240, 80, 24, 8)
CACHE = Path(__file__).with_name("cache")


def make(count: int, folder: Path = CACHE) -> list[Path]:
    """Return the paths of `count` clips; a clip that exists already is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    return [_clip(folder, i) for i in range(count)]


def length_s(i: int) -> int:
    """Return the length of a clip in s."""
    return 20 + 7 * i % 21


def _clip(folder: Path, i: int) -> Path:
    path = folder / f"stream-{i:02d}.mp4"
    if path.exists():
        return path
    base, canvas = folder / f"base-{i:02d}.mp4", folder / f"canvas-{i:02d}.png"
    _canvas(i).save(canvas, compress_level=1)
    _run(*_base_args(canvas, i, base))
    part = path.with_suffix(".part")
    repeated = ("-stream_loop", "-1", "-i", str(base), "-t", str(length_s(i)))
    _run(*repeated, *_sound(i), "-c:v", "copy", "-c:a", "aac", "-b:a", "160k", "-f", "mp4", part)
    part.rename(path)
    base.unlink()
    canvas.unlink()
    return path


def _canvas(seed: int) -> Image.Image:
    """Return a landscape of several octaves of noise, with shapes that have sharp edges."""
    chance = random.Random(seed)
    channels = [_octaves(chance) for _ in range(3)]
    canvas = Image.merge("RGB", channels)
    draw = ImageDraw.Draw(canvas)
    for _ in range(60):
        x, y = chance.randrange(CANVAS[0]), chance.randrange(CANVAS[1])
        color = tuple(chance.randrange(30, 225) for _ in range(3))
        box = (x, y, x + chance.randrange(20, 260), y + chance.randrange(20, 200))
        (draw.rectangle if chance.random() < 0.6 else draw.ellipse)(box, fill=color)
    return canvas


def _octaves(chance: random.Random) -> Image.Image:
    channel = Image.new("L", CANVAS, chance.randrange(90, 150))
    for side in OCTAVES:
        size = (CANVAS[0] // side, CANVAS[1] // side)
        noise = Image.frombytes("L", size, chance.randbytes(size[0] * size[1]))
        layer = noise.resize(CANVAS, Image.Resampling.BICUBIC)
        softened = layer.point(lambda value, side=side: 128 + (value - 128) * side // 300)
        channel = ImageChops.add(channel, softened, offset=-128)
    return channel


def _base_args(canvas: Path, i: int, out: Path) -> tuple[str | Path, ...]:
    """Return the arguments of the stretch that is repeated; it ends where it begins."""
    turn = f"2*PI*t/{BASE_S}"
    x = f"(iw-ow)/2*(1+0.8*sin({turn}))"
    y = f"(ih-oh)/2*(1+0.7*cos({turn}*2))"
    width, height = SIZE
    graph = (
        f"[0:v]loop=-1:1,setpts=N/{RATE}/TB,fps={RATE},crop={width}:{height}:'{x}':'{y}'[moved];"
        f"testsrc2=s=320x180:r={RATE}[sprite];"
        f"[moved][sprite]overlay='W/2+600*sin({turn}*2)':'H/2+250*cos({turn})',"
        f"hue=h={i * 17},noise=alls=5:allf=t,format=yuv420p[v]"
    )
    rate = f"{6000 + 100 * (7 * i % 20)}k"
    return (
        *("-i", canvas, "-filter_complex", graph, "-map", "[v]", "-t", str(BASE_S)),
        *("-c:v", "libx264", "-preset", "veryfast", "-b:v", rate, "-maxrate", rate),
        *("-bufsize", rate, "-g", str(2 * RATE), "-keyint_min", str(2 * RATE)),
        *("-sc_threshold", "0", "-f", "mp4", out),
    )


def _sound(i: int) -> tuple[str, ...]:
    level = 0.05 + i % 4 * 0.05
    graph = (
        f"anoisesrc=c=pink:r=48000:a={level:.2f}:seed={i},tremolo=f=0.7:d=0.8[noise];"
        f"sine=f={180 + 20 * i}:r=48000,volume=0.2,tremolo=f=3:d=0.9[tone];"
        "[noise][tone]amix=2:normalize=0,aformat=channel_layouts=stereo"
    )
    return ("-f", "lavfi", "-i", graph, "-map", "0:v", "-map", "1:a", "-shortest")


def _run(*args: str | Path) -> None:
    program = (find_ffmpeg().path, "-nostdin", "-v", "error", "-y")
    subprocess.run((*program, *map(str, args)), check=True)
