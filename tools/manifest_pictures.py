"""Write the pictures of docs/manifest.md: single frames, rendered as a job renders them.

Run `.venv/bin/python tools/manifest_pictures.py`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import av
import imageio_ffmpeg
from PIL import Image, ImageDraw

sys.path.insert(0, str(Path(__file__).parents[1] / "job-image"))

from clipmill.ffmpeg.segment_args import RenderedLayer, segment_args
from clipmill.protocol import Framing, Layer, Profile, Segment, SourceRange
from clipmill.protocol import Image as ImageFile
from clipmill.spec import CompilationSpec, Position, TransitionType
from clipmill.timeline.overlay_layers import build_layers
from clipmill_api.accounts.watermark import DEFAULT_IMAGE
from clipmill_job.drawing.layer_drawing import draw_layer
from clipmill_job.drawing.text_drawing import TextStyle, draw_text
from clipmill_probe import Depth, probe_media

OUT = Path(__file__).parents[1] / "docs/pictures"
FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
WIDE = Profile(width=640, height=360, rate=30, crf=12, speed="veryfast", max_bitrate=9_000_000)
TALL = WIDE.model_copy(update={"width": 180, "height": 320})
TINY = WIDE.model_copy(update={"width": 160, "height": 90})
FACE = {"source": {"left": 0, "top": 0, "width": 34, "height": 50}, "target": {"height": 38}}
GAME = {"source": {"left": 30, "width": 40}, "target": {"top": 38, "height": 62}}
FRAMINGS: list[tuple[str, dict[str, Any]]] = [
    ("Contain", {}),
    ("zoom: 150", {"zoom": 150}),
    ("ContainBlur", {"fit": "ContainBlur"}),
    ("Cover", {"fit": "Cover"}),
    ("layout", {"panes": [FACE, GAME]}),
]


def run(*args: str) -> None:
    """Run ffmpeg."""
    subprocess.run([FFMPEG, "-v", "error", "-y", *args], check=True)  # noqa: S603


def source_range(path: Path, **more: Any) -> SourceRange:
    """Return the first half second of a clip."""
    facts = probe_media(path, depth=Depth.PACKETS)
    size = {"width": facts.width, "height": facts.height}
    media = {"media_id": "m-clip", "sha256": "", "format": facts.format, "has_audio": False}
    return SourceRange.model_validate({**media, **size, "start": 0, "frames": 16, **more})


def frame(segment: Segment, paths: list[Path], folder: Path, files: dict[str, Path]) -> Image.Image:
    """Render a segment and return its middle frame."""
    layers = []
    for i, layer in enumerate(segment.layers()):
        image, x, y = draw_layer(layer, segment.profile.size, files)
        image.save(folder / f"{i}.png")
        layers.append(RenderedLayer(str(folder / f"{i}.png"), x, y))
    out = folder / "segment.mov"
    run(*segment_args(segment, [str(path) for path in paths], str(out), layers))
    with av.open(str(out)) as container:
        return list(container.decode(video=0))[8].to_image()


def sheet(shown: list[tuple[str, Image.Image]], columns: int) -> Image.Image:
    """Return a sheet of pictures in rows, each with its name below."""
    width, height = shown[0][1].size
    rows = -(-len(shown) // columns)
    page = Image.new("RGB", (columns * (width + 8) - 8, rows * (height + 30)), (255, 255, 255))
    for i, (name, image) in enumerate(shown):
        x, y = i % columns * (width + 8), i // columns * (height + 30)
        page.paste(image, (x, y))
        words = draw_text(name, TextStyle(16, (30, 30, 30, 255)))
        page.paste(words, (x, y + height + 4), words)
    return page


def clips(folder: Path) -> tuple[Path, Path]:
    """Write two clips: a test card with a face in its corner, and a fractal."""
    one, two, face = (folder / name for name in ("one.mp4", "two.mp4", "face.png"))
    drawing = Image.new("RGBA", (435, 360), (250, 200, 80, 255))
    pen = ImageDraw.Draw(drawing)
    pen.ellipse((87, 50, 347, 310), fill=(240, 240, 240, 255), outline=(40, 40, 40, 255), width=8)
    pen.ellipse((150, 130, 190, 170), fill=(40, 40, 40, 255))
    pen.ellipse((245, 130, 285, 170), fill=(40, 40, 40, 255))
    pen.arc((150, 160, 285, 260), 20, 160, fill=(40, 40, 40, 255), width=10)
    drawing.save(face)
    source = ("-f", "lavfi", "-t", "1", "-i", "testsrc2=s=1280x720:r=30")
    run(*source, "-i", str(face), "-filter_complex", "overlay", str(one))
    run(
        "-f",
        "lavfi",
        "-t",
        "1",
        "-i",
        "mandelbrot=s=1280x720:r=30",
        "-pix_fmt",
        "yuv420p",
        str(two),
    )
    return one, two


def overlaid(one: Path, folder: Path) -> Image.Image:
    """Return a frame with a card, texts in several scripts, and the bundled watermark."""
    avatar = {"1" * 64: folder / "face.png", "2" * 64: DEFAULT_IMAGE}
    spec = CompilationSpec.model_validate(
        {
            "clips": [
                {
                    "mediaId": "m-clip",
                    "credit": {
                        "creator": "Grace",
                        "game": "Baldur's Gate 3: 100%",
                        "avatar": "m-face",
                    },
                    "overlays": [
                        {
                            "text": "Clutch! 🔥",
                            "position": "TopRight",
                            "size": 9,
                            "color": "#FFCC00",
                        },
                        {"text": "مرحبا · שלום · 你好", "position": "Right", "size": 8, "box": 60},
                    ],
                }
            ],
            "creatorCard": {"start": "0s", "fade": "0s"},
        }
    )
    over = build_layers(spec, spec.clips[0], {"m-face": "1" * 64}, frames=16, rate=30)
    mark = Layer(
        image=ImageFile(sha256="2" * 64),
        size=9,
        margin=3,
        opacity=60,
        position=Position.BOTTOM_RIGHT,
    )
    segment = Segment(
        key="0" * 64, sources=[source_range(one, layers=over)], profile=WIDE, watermark=mark
    )
    return frame(segment, [one], folder, avatar)


def main() -> None:
    """Write all pictures."""
    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        one, two = clips(folder)
        framed = [
            (name, frame(_framed(one, framing), [one], folder, {})) for name, framing in FRAMINGS
        ]
        sheet(framed, 5).save(OUT / "framing.jpg", quality=80)
        overlaid(one, folder).save(OUT / "overlays.jpg", quality=82)
        kinds = [kind for kind in TransitionType if kind is not TransitionType.NONE]
        mixed = [
            (kind, frame(_transition(one, two, kind), [one, two], folder, {})) for kind in kinds
        ]
        sheet(mixed, 6).save(OUT / "transitions.jpg", quality=64)


def _framed(path: Path, framing: dict[str, Any]) -> Segment:
    framed = Framing.model_validate(framing)
    return Segment(key="0" * 64, sources=[source_range(path, framing=framed)], profile=TALL)


def _transition(one: Path, two: Path, kind: TransitionType) -> Segment:
    return Segment(
        key="0" * 64, sources=[source_range(one), source_range(two)], transition=kind, profile=TINY
    )


if __name__ == "__main__":
    main()
