"""Write the picture of docs/sound.md: ducked music, measured on a mix by the job's own arguments.

Run `.venv/bin/python tools/sound_picture.py`.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import clipmaker  # noqa: E402
import levels  # noqa: E402
from clipmill.ffmpeg.music_mix import music_decode_args, music_mix_args  # noqa: E402
from clipmill.protocol import MusicMix  # noqa: E402
from clipmill.spec.soundtrack import Ducking  # noqa: E402

OUT = ROOT / "docs/pictures/ducking.png"
SECONDS, FLOOR_DB, STEP_S = 14, -60, 0.04
WIDTH, HEIGHT, LEFT, TOP = 900, 300, 60, 40
INK, GRID, PAPER = (70, 70, 80), (225, 225, 230), (255, 255, 255)
PROGRAMME_HZ, MUSIC_HZ = 440, 3000
LINES = (
    ("programme", (120, 130, 150)),
    ("music, ducked by ratio 20 (the default)", (20, 110, 200)),
    ("music, ducked by depth -12dB", (220, 110, 20)),
)


def programme() -> levels.Sound:
    """Return a programme with a tone from 3 s to 6 s, and a softer one from 8 s to 10 s."""
    parts = (
        levels.silence(3),
        levels.tone(PROGRAMME_HZ, 3, level_db=-10),
        levels.silence(2),
        levels.tone(PROGRAMME_HZ, 2, level_db=-22),
        levels.silence(4),
    )
    return np.concatenate(parts)


def mixed(folder: Path, duck: Ducking) -> levels.Sound:
    """Return the programme mixed with music from 1 s to 13 s."""
    rate = levels.RATE
    mix = MusicMix(
        media_id="m-track",
        sha256="",
        format="wav",
        gain_mb=-1200,
        start=rate,
        end=13 * rate,
        loop=True,
        fade=2 * rate,
        duck=duck,
    )
    source = levels.track(folder / "track.wav", levels.tone(MUSIC_HZ, 3, level_db=-10))
    raw = levels.write(folder / "programme.f32", programme())
    track, out = str(folder / "track.f32"), str(folder / "mix.f32")
    clipmaker.ffmpeg(*music_decode_args(mix, str(source), track))
    clipmaker.ffmpeg(*music_mix_args(mix, str(raw), track, out, samples=SECONDS * rate))
    return levels.read(folder / "mix.f32")


def course(sound: levels.Sound, hertz: int) -> list[tuple[float, float]]:
    """Return the level of one frequency over time, as (seconds, dB)."""
    times = np.arange(0, SECONDS - STEP_S, STEP_S)
    return [(t, levels.level_at(levels.at(sound, t, t + STEP_S), hertz)) for t in times]


def place(t: float, level_db: float) -> tuple[float, float]:
    """Return the place of a level in the picture."""
    height = max(FLOOR_DB, level_db) / FLOOR_DB
    return LEFT + t / SECONDS * (WIDTH - LEFT - 20), TOP + height * (HEIGHT - TOP - 30)


def main() -> None:
    """Draw the picture."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(13)
    for level_db in range(FLOOR_DB, 1, 12):
        draw.line([place(0, level_db), place(SECONDS, level_db)], GRID)
        draw.text((8, place(0, level_db)[1] - 8), f"{level_db} dB", INK, font)
    for second in range(0, SECONDS + 1, 2):
        draw.text((place(second, FLOOR_DB)[0] - 6, HEIGHT - 24), f"{second} s", INK, font)
    with tempfile.TemporaryDirectory() as name:
        ratio, depth = (mixed(Path(name), duck) for duck in (Ducking(), Ducking(depth="-12dB")))
    curves = course(programme(), PROGRAMME_HZ), course(ratio, MUSIC_HZ), course(depth, MUSIC_HZ)
    for i, ((label, colour), curve) in enumerate(zip(LINES, curves, strict=True)):
        draw.line([place(*point) for point in curve], colour, 2)
        draw.text((LEFT + i * 270, 10), label, colour, font)
    OUT.parent.mkdir(exist_ok=True)
    picture.save(OUT, optimize=True)


if __name__ == "__main__":
    main()
