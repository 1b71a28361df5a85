"""Files that are no clips: each is refused with a reason that says what it is."""

from __future__ import annotations

from inputs.cards import Card
from inputs.kinds.parts import CARD, X264, clip, pixels
from inputs.recipe import Ffmpeg, Recipe, Refusal, Refused, Truncate, Write

ONE = Card(seconds=1 / 30, first=9)
FEW = Card(seconds=0.2)
IMAGE = "Refused as an image, whose format is named."
TORN = "Refused as truncated."


def _image(
    name: str, title: str, file: str, *args: str, names: str, card: Card = ONE, **more: object
) -> Recipe:
    return Recipe(
        name=f"image-{name}",
        title=title,
        treatment=IMAGE,
        file=file,
        steps=(Ffmpeg((card, *args, file)),),
        outcome=Refused(Refusal.NOT_MEDIA, names),
        **more,  # type: ignore[arg-type]
    )


IMAGES = (
    _image("png", "PNG", "a.png", names="PNG"),
    _image("jpeg", "JPEG", "a.jpg", "-pix_fmt", "yuvj420p", names="JPEG"),
    _image("webp", "WebP", "a.webp", "-c:v", "libwebp", names="WebP"),
    _image("gif", "GIF, also when it moves", "a.gif", names="GIF", card=FEW),
    _image("apng", "Animated PNG", "a.png", "-f", "apng", names="PNG", card=FEW),
    _image(
        "webp-moving", "Animated WebP", "a.webp", "-c:v", "libwebp_anim", names="WebP", card=FEW
    ),
    _image("bmp", "BMP", "a.bmp", names="BMP"),
    _image("tiff", "TIFF", "a.tiff", names="TIFF", row="R"),
    _image(
        "avif",
        "AVIF",
        "a.avif",
        *(*pixels(), "-c:v", "libsvtav1", "-preset", "12"),
        names="AVIF",
        row="R",
    ),
    _image("jxl", "JPEG XL", "a.jxl", "-c:v", "libjxl", names="JPEG XL", row="R"),
)

WHOLE = clip("whole.mp4", card=CARD)
BROKEN = (
    Recipe(
        name="truncated-mp4",
        title="MP4 cut off, its index at the start",
        treatment=TORN,
        file="a.mp4",
        steps=(clip("whole.mp4", "-movflags", "+faststart"), Truncate("whole.mp4", 0.6, "a.mp4")),
        outcome=Refused(Refusal.TRUNCATED),
    ),
    Recipe(
        name="truncated-mp4-without-index",
        title="MP4 cut off before its index",
        treatment=TORN,
        file="a.mp4",
        steps=(WHOLE, Truncate("whole.mp4", 0.6, "a.mp4")),
        outcome=Refused(Refusal.TRUNCATED),
    ),
    Recipe(
        name="truncated-mkv",
        title="Matroska cut off",
        treatment=TORN,
        file="a.mkv",
        steps=(clip("whole.mkv"), Truncate("whole.mkv", 0.6, "a.mkv")),
        outcome=Refused(Refusal.TRUNCATED),
    ),
    Recipe(
        name="pictures-broken",
        title="Pictures of which hardly any can be decoded",
        treatment="Refused as damaged, at the latest when it is rendered.",
        file="a.mp4",
        steps=(clip("a.mp4", "-bsf:v", "noise=amount=30", video=(*pixels(), *X264)),),
        outcome=Refused(Refusal.DAMAGED),
    ),
    Recipe(
        name="text",
        title="Text, or anything that is no media",
        treatment="Refused; the message names the formats that are read.",
        file="a.mp4",
        steps=(Write(b"<!doctype html><title>Sign in</title>" * 20, "a.mp4"),),
        outcome=Refused(Refusal.NOT_MEDIA, "MP4"),
    ),
    Recipe(
        name="playlist",
        title="Playlist that names other files",
        treatment="Refused: no other file is opened.",
        file="a.mp4",
        steps=(Write(b"#EXTM3U\n#EXTINF:2,\nhttp://example.org/a.ts\n#EXT-X-ENDLIST\n", "a.mp4"),),
        outcome=Refused(Refusal.FORBIDDEN, "HLS"),
    ),
)

RECIPES = (*IMAGES, *BROKEN)
