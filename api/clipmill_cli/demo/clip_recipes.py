"""The demo's clips, generated: they differ in size, rate, loudness and shape.

recipe -> images (Pillow) + moving colours and a tune (ffmpeg) -> an mp4 in the folder
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

from clipmill_cli.demo.recipe_images import ball, card, curtain

# The share of its bytes that the broken clip keeps, like a truncated download.
BROKEN_SHARE = 0.55
TIMEOUT_S = 120
WORKERS = 2


@dataclass(frozen=True, slots=True)
class ClipRecipe:
    """One file: its size in pixels, rate in frames per second, colours and tune."""

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
    subtitle: str = ""

    @property
    def details(self) -> str:
        """The line below the title: the subtitle, or the clip's properties."""
        if self.subtitle:
            return self.subtitle
        audio = f"volume {self.volume:.0%}" if self.volume else "no sound"
        truncated = "  truncated" if self.broken else ""
        return f"{self.width} x {self.height}   {self.rate} frames/s   {audio}{truncated}"


CLIPS = (
    ClipRecipe(
        *("opener", "Opener", 1280, 720, 30, 4),
        ("0x0f2027", "0x2c7a9c", "0x7fd1c7"),
        (262, 330, 392, 523),
        0.6,
    ),
    ClipRecipe(
        *("sprint", "Sprint", 1920, 1080, 60, 4),
        ("0x42104f", "0xc2185b", "0xff9a62"),
        (294, 370, 440, 587),
        0.04,
    ),
    ClipRecipe(
        *("cinema", "Cinema", 1280, 544, 24, 4),
        ("0x1b1035", "0x4527a0", "0x8ec5fc"),
        (196, 247, 294, 392),
        0.2,
    ),
    ClipRecipe(
        *("silent", "Silent film", 640, 480, 25, 4),
        ("0x1c2b1a", "0x33691e", "0xdce775"),
        (),
        0,
    ),
    ClipRecipe(
        *("broken", "Broken", 1280, 720, 30, 4),
        ("0x300000", "0xb71c1c", "0xff8a80"),
        (220,),
        broken=True,
    ),
    ClipRecipe(
        *("phone", "Phone", 720, 1280, 30, 4),
        ("0x3e1f00", "0xef6c00", "0xffe082"),
        (330, 415, 494, 659),
    ),
)
INTRO = ClipRecipe(
    *("intro", "Clipmill", 1280, 720, 30, 2),
    ("0x10141c", "0x263850", "0x5b7da8"),
    (196, 294, 392, 494),
    subtitle="a list of clips in, one finished video out",
)
OUTRO = ClipRecipe(
    *("outro", "The end", 1280, 720, 30, 2),
    ("0x10141c", "0x263850", "0x5b7da8"),
    (494, 392, 294, 196),
    subtitle="now with clips of your own",
)
SWOOSH = ClipRecipe(
    *("swoosh", "", 1280, 720, 30, 0.6),
    ("0x10141c", "0x263850", "0x5b7da8"),
    (587, 880),
    curtain=True,
)
ALL = (*CLIPS, INTRO, OUTRO, SWOOSH)


def generate(folder: Path, recipes: Sequence[ClipRecipe] = ALL) -> int:
    """Generate the clips that do not exist yet; return their number.

    Raises:
        OSError: ffmpeg failed, or a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = [recipe for recipe in recipes if not path_of(folder, recipe).exists()]
    with ThreadPoolExecutor(WORKERS) as executor:
        list(executor.map(lambda recipe: _generate(folder, recipe), missing))
    return len(missing)


def path_of(folder: Path, recipe: ClipRecipe) -> Path:
    """Return the path of a clip; a hash of the recipe is part of the name."""
    digest = hashlib.sha256(repr(recipe).encode()).hexdigest()[:6]
    return folder / f"{recipe.name}-{digest}.mp4"


def _generate(folder: Path, recipe: ClipRecipe) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        clip = Path(scratch) / "clip.mp4"
        argv = (imageio_ffmpeg.get_ffmpeg_exe(), *_args(recipe, Path(scratch), clip))
        result = subprocess.run(  # noqa: S603  an argument tuple, no shell
            argv, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
        if result.returncode:
            raise OSError(1, result.stderr.strip()[-500:] or "ffmpeg failed", recipe.name)
        if recipe.broken:
            data = clip.read_bytes()
            clip.write_bytes(data[: int(len(data) * BROKEN_SHARE)])
        clip.replace(path_of(folder, recipe))


def _args(recipe: ClipRecipe, scratch: Path, out: Path) -> tuple[str, ...]:
    length, rate = str(recipe.seconds), str(recipe.rate)
    moving = curtain(recipe.width, recipe.height) if recipe.curtain else ball(recipe.height)
    moving.save(scratch / "moving.png")
    card(recipe.width, recipe.height, recipe.title, recipe.details).save(scratch / "card.png")
    still = ("-framerate", rate, "-loop", "1", "-t", length, "-i")
    tune = ("-f", "lavfi", "-t", length, "-i", _tune(recipe)) if recipe.notes_hz else ()
    audio = ("-map", "3:a", "-c:a", "aac", "-b:a", "160k") if recipe.notes_hz else ()
    return (
        *("-nostdin", "-v", "error", "-y", "-f", "lavfi", "-t", length, "-i", _colours(recipe)),
        *(*still, str(scratch / "moving.png"), *still, str(scratch / "card.png"), *tune),
        *("-filter_complex", _video_graph(recipe), "-map", "[v]", *audio),
        *("-c:v", "libx264", "-preset", "ultrafast", "-crf", "18", "-pix_fmt", "yuv420p"),
        *("-movflags", "+faststart", "-map_metadata", "-1", "-fflags", "+bitexact", str(out)),
    )


def _colours(recipe: ClipRecipe) -> str:
    """Return a source of drifting colours at a quarter of the size: enlarged, it looks the same."""
    colours = ":".join(f"c{i}={colour}" for i, colour in enumerate(recipe.colours))
    size = f"{recipe.width // 4}x{recipe.height // 4}"
    return f"gradients=s={size}:r={recipe.rate}:n=3:{colours}:seed=7:speed=0.02"


def _video_graph(recipe: ClipRecipe) -> str:
    """Return the filter graph: a ball bounces behind the card, or a curtain passes."""
    x = "(W-w)*abs(mod(t*0.45+0.15,2)-1)"
    y = "(H-h)*abs(mod(t*0.8+0.7,2)-1)"
    if recipe.curtain:
        x, y = f"-w+(W+w)*t/{recipe.seconds}", "0"
    return (
        f"[0:v]scale={recipe.width}:{recipe.height}:flags=bicubic,format=yuv420p[back];"
        f"[back][1:v]overlay=x='{x}':y='{y}'[moving];"
        "[moving][2:v]overlay=(W-w)/2:(H-h)/2,format=yuv420p[v]"
    )


def _tune(recipe: ClipRecipe) -> str:
    """Return a source of a plucked string that plays four notes per second."""
    notes, pitch = recipe.notes_hz, str(recipe.notes_hz[-1])
    for i in reversed(range(len(notes) - 1)):
        pitch = f"if(eq(mod(floor(t*4),{len(notes)}),{i}),{notes[i]},{pitch})"
    string = f"sin(2*PI*t*{pitch})+0.4*sin(4*PI*t*{pitch})"
    signal = f"{recipe.volume}*exp(-4*mod(t,0.25))*({string})/1.4"
    return f"aevalsrc='{signal}|{signal}':s=48000"
