"""The demo's clips, made on the spot: unlike in size, rate, loudness and shape, good to tell apart.

recipe -> pictures (Pillow) + moving colours and a tune (ffmpeg) -> an mp4 in the folder
"""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg

from clipmill_cli.demo.drawn_pictures import ball, card, curtain

LEFT_OF_BROKEN = 0.55
"""The share of its bytes that the broken clip has, like a download that was cut off."""
TIMEOUT_S = 120


@dataclass(frozen=True, slots=True)
class Recipe:
    """One file: its picture in pixels, frames a second and colours, and its tune."""

    name: str
    title: str
    width: int
    height: int
    rate: int
    seconds: float
    colours: tuple[str, str, str]
    notes_hz: tuple[int, ...]
    volume: float = 0.25
    broken: bool = False
    curtain: bool = False
    line: str = ""

    @property
    def about(self) -> str:
        """What is special about it, as its picture says."""
        if self.line:
            return self.line
        sound = f"volume {self.volume:.0%}" if self.volume else "no sound"
        cut = "  cut off" if self.broken else ""
        return f"{self.width} x {self.height}   {self.rate} frames/s   {sound}{cut}"


CLIPS = (
    Recipe(
        *("opener", "Opener", 1280, 720, 30, 4),
        ("0x0f2027", "0x2c7a9c", "0x7fd1c7"),
        (262, 330, 392, 523),
        0.6,
    ),
    Recipe(
        *("sprint", "Sprint", 1920, 1080, 60, 4),
        ("0x42104f", "0xc2185b", "0xff9a62"),
        (294, 370, 440, 587),
        0.04,
    ),
    Recipe(
        *("cinema", "Cinema", 1280, 544, 24, 4),
        ("0x1b1035", "0x4527a0", "0x8ec5fc"),
        (196, 247, 294, 392),
        0.2,
    ),
    Recipe(
        *("silent", "Silent film", 640, 480, 25, 4),
        ("0x1c2b1a", "0x33691e", "0xdce775"),
        (),
        0,
    ),
    Recipe(
        *("broken", "Broken", 1280, 720, 30, 4),
        ("0x300000", "0xb71c1c", "0xff8a80"),
        (220,),
        broken=True,
    ),
    Recipe(
        *("phone", "Phone", 720, 1280, 30, 4),
        ("0x3e1f00", "0xef6c00", "0xffe082"),
        (330, 415, 494, 659),
    ),
)
INTRO = Recipe(
    *("intro", "Clipmill", 1280, 720, 30, 2),
    ("0x10141c", "0x263850", "0x5b7da8"),
    (196, 294, 392, 494),
    line="a list of clips in, one finished video out",
)
OUTRO = Recipe(
    *("outro", "The end", 1280, 720, 30, 2),
    ("0x10141c", "0x263850", "0x5b7da8"),
    (494, 392, 294, 196),
    line="now with clips of your own",
)
SWOOSH = Recipe(
    *("swoosh", "", 1280, 720, 30, 0.6),
    ("0x10141c", "0x263850", "0x5b7da8"),
    (587, 880),
    curtain=True,
)
ALL = (*CLIPS, INTRO, OUTRO, SWOOSH)


def make(folder: Path, recipes: Sequence[Recipe] = ALL) -> int:
    """Make what is not there yet, two at once; how many were made. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [recipe for recipe in recipes if not path_of(folder, recipe).exists()]
    with ThreadPoolExecutor(2) as crew:
        list(crew.map(lambda recipe: _make(folder, recipe), missing))
    return len(missing)


def path_of(folder: Path, recipe: Recipe) -> Path:
    """Where a clip lies; the name changes with the recipe, so that an old file is not taken."""
    mark = hashlib.sha256(repr(recipe).encode()).hexdigest()[:6]
    return folder / f"{recipe.name}-{mark}.mp4"


def _make(folder: Path, recipe: Recipe) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        done = Path(scratch) / "clip.mp4"
        argv = (imageio_ffmpeg.get_ffmpeg_exe(), *_args(recipe, Path(scratch), done))
        made = subprocess.run(  # noqa: S603  an argument tuple, no shell
            argv, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
        if made.returncode:
            raise OSError(1, made.stderr.strip()[-500:] or "ffmpeg failed", recipe.name)
        if recipe.broken:
            data = done.read_bytes()
            done.write_bytes(data[: int(len(data) * LEFT_OF_BROKEN)])
        done.replace(path_of(folder, recipe))


def _args(recipe: Recipe, scratch: Path, out: Path) -> tuple[str, ...]:
    length, rate = str(recipe.seconds), str(recipe.rate)
    top = curtain(recipe.width, recipe.height) if recipe.curtain else ball(recipe.height)
    top.save(scratch / "top.png")
    card(recipe.width, recipe.height, recipe.title, recipe.about).save(scratch / "card.png")
    still = ("-framerate", rate, "-loop", "1", "-t", length, "-i")
    sound = ("-f", "lavfi", "-t", length, "-i", _tune(recipe)) if recipe.notes_hz else ()
    heard = ("-map", "3:a", "-c:a", "aac", "-b:a", "160k") if recipe.notes_hz else ()
    return (
        *("-nostdin", "-v", "error", "-y", "-f", "lavfi", "-t", length, "-i", _colours(recipe)),
        *(*still, str(scratch / "top.png"), *still, str(scratch / "card.png"), *sound),
        *("-filter_complex", _picture(recipe), "-map", "[v]", *heard),
        *("-c:v", "libx264", "-preset", "ultrafast", "-crf", "18", "-pix_fmt", "yuv420p"),
        *("-movflags", "+faststart", "-map_metadata", "-1", "-fflags", "+bitexact", str(out)),
    )


def _colours(recipe: Recipe) -> str:
    """Drifting colours, made small: they are as soft when enlarged."""
    named = ":".join(f"c{i}={colour}" for i, colour in enumerate(recipe.colours))
    size = f"{recipe.width // 4}x{recipe.height // 4}"
    return f"gradients=s={size}:r={recipe.rate}:n=3:{named}:seed=7:speed=0.02"


def _picture(recipe: Recipe) -> str:
    """A ball that bounces behind the card, or a curtain that is drawn across."""
    x = "(W-w)*abs(mod(t*0.45+0.15,2)-1)"
    y = "(H-h)*abs(mod(t*0.8+0.7,2)-1)"
    if recipe.curtain:
        x, y = f"-w+(W+w)*t/{recipe.seconds}", "0"
    return (
        f"[0:v]scale={recipe.width}:{recipe.height}:flags=bicubic,format=yuv420p[back];"
        f"[back][1:v]overlay=x='{x}':y='{y}'[moving];"
        "[moving][2:v]overlay=(W-w)/2:(H-h)/2,format=yuv420p[v]"
    )


def _tune(recipe: Recipe) -> str:
    """A plucked string, two notes a second."""
    notes, note = recipe.notes_hz, str(recipe.notes_hz[-1])
    for i in reversed(range(len(notes) - 1)):
        note = f"if(eq(mod(floor(t*4),{len(notes)}),{i}),{notes[i]},{note})"
    string = f"sin(2*PI*t*{note})+0.4*sin(4*PI*t*{note})"
    heard = f"{recipe.volume}*exp(-4*mod(t,0.25))*({string})/1.4"
    return f"aevalsrc='{heard}|{heard}':s=48000"
