"""Colour: what a file declares of matrix, primaries, transfer and range, or leaves open."""

from __future__ import annotations

from inputs.cards import Card
from inputs.colorimetry import ColourSpace
from inputs.kinds.parts import X264, clip, pixels
from inputs.recipe import Recipe, Shown, contained

BT709 = ("bt709", "bt709", "bt709")
NTSC = ("smpte170m", "smpte170m", "smpte170m")
PAL = ("bt470bg", "bt470bg", "smpte170m")
X265 = (
    "-c:v",
    "libx265",
    "-preset",
    "ultrafast",
    "-crf",
    "10",
    "-x265-params",
    "log-level=error",
    *("-tag:v", "hvc1"),
)
DEEP = "yuv420p10le"
CONVERTED = "Colours are converted to BT.709 from what the file declares."
GUESSED = "Nothing is declared: taken as {} by its number of pixels."


def declares(matrix: str, primaries: str, transfer: str, extent: str = "tv") -> dict[str, object]:
    """Return the claims of a file that declares its colours so."""
    return {"matrix": matrix, "primaries": primaries, "transfer": transfer, "range": extent}


UNDECLARED = declares("", "", "", "")

DECLARED = (
    Recipe(
        name="tagged-709-small",
        title="SD size, tagged BT.709",
        treatment=CONVERTED,
        file="a.mp4",
        steps=(clip("a.mp4", video=(*pixels("bt709", tags=BT709), *X264)),),
        has=declares(*BT709),
    ),
    Recipe(
        name="tagged-601-hd",
        row="C",
        title="HD size, tagged BT.601 (525 lines)",
        treatment=CONVERTED,
        file="a.mp4",
        steps=(
            clip(
                "a.mp4",
                card=Card(space=ColourSpace("smpte170m")),
                video=(*pixels("smpte170m", tags=NTSC, size="1280:720"), *X264),
            ),
        ),
        has=declares(*NTSC) | {"sizes": ((1280, 720),)},
    ),
    Recipe(
        name="tagged-601-625",
        row="C",
        title="BT.601 (625 lines), 720x576 with wide pixels",
        treatment=CONVERTED,
        file="a.mp4",
        steps=(
            clip(
                "a.mp4",
                card=Card(space=ColourSpace("bt470bg")),
                video=(
                    *pixels("bt470bg", tags=PAL, size="720:576", then="setsar=64/45"),
                    *X264,
                ),
            ),
        ),
        has=declares(*PAL) | {"sizes": ((720, 576),)},
    ),
    Recipe(
        name="tagged-601-525",
        row="C",
        title="BT.601 (525 lines), 720x480 shown 4:3",
        treatment=CONVERTED,
        file="a.mkv",
        steps=(
            clip(
                "a.mkv",
                card=Card(space=ColourSpace("smpte170m")),
                video=(*pixels("smpte170m", tags=NTSC, size="720:480", then="setsar=8/9"), *X264),
            ),
        ),
        outcome=Shown(boxes=((0.0, contained(4, 3)),), slack_frames=1),
        has=declares(*NTSC) | {"sizes": ((720, 480),)},
    ),
    Recipe(
        name="tagged-matrix-only",
        row="C",
        title="HD size, of which only the BT.601 matrix is tagged",
        treatment=CONVERTED,
        file="a.mp4",
        steps=(
            clip(
                "a.mp4",
                video=(
                    *pixels("smpte170m", tags=("smpte170m", "unknown", "unknown"), size="1280:720"),
                    *X264,
                ),
            ),
        ),
        # Primaries are a guess: those of BT.601 are 13 off.
        outcome=Shown(tolerance=14),
        has=declares("smpte170m", "", ""),
    ),
    Recipe(
        name="full-range",
        title="Full range (screen recorders, some phones)",
        treatment=CONVERTED,
        file="a.mp4",
        steps=(clip("a.mp4", video=(*pixels("bt709", tags=BT709, full=True), *X264)),),
        has=declares(*BT709, extent="pc"),
    ),
    Recipe(
        name="full-range-hd-untagged-matrix",
        title="Full range in HD size without a matrix",
        treatment=CONVERTED,
        file="a.mkv",
        steps=(clip("a.mkv", video=(*pixels("bt709", full=True, size="1280:720"), *X264)),),
        outcome=Shown(slack_frames=1),
        has=declares("", "", "", "pc"),
    ),
    Recipe(
        name="motion-jpeg",
        title="Motion JPEG (full range BT.601)",
        treatment=CONVERTED,
        file="a.mov",
        steps=(
            clip(
                "a.mov",
                video=(*pixels(full=True, form="yuvj422p"), "-c:v", "mjpeg", "-q:v", "3"),
            ),
        ),
        has={"codecs": ("video:mjpeg", "audio:aac"), "pixels": ("yuvj422p",)},
    ),
    Recipe(
        name="rgb",
        title="RGB pixels",
        treatment=CONVERTED,
        file="a.mkv",
        steps=(clip("a.mkv", video=("-c:v", "libx264rgb", "-preset", "ultrafast")),),
        outcome=Shown(slack_frames=1),
        has={"matrix": "gbr"},
    ),
    Recipe(
        name="ten-bit-422",
        title="10 bit 4:2:2 (cameras)",
        treatment=CONVERTED,
        file="a.mp4",
        steps=(clip("a.mp4", video=(*pixels("bt709", tags=BT709, form="yuv422p10le"), *X264)),),
        has=declares(*BT709) | {"pixels": ("yuv422p10le",)},
    ),
    Recipe(
        name="ten-bit-444",
        title="10 bit 4:4:4 in HEVC",
        treatment=CONVERTED,
        file="a.mp4",
        steps=(clip("a.mp4", video=(*pixels("bt709", tags=BT709, form="yuv444p10le"), *X265)),),
        has=declares(*BT709) | {"pixels": ("yuv444p10le",)},
    ),
    Recipe(
        name="ten-bit-h264",
        title="10 bit H.264",
        treatment=CONVERTED,
        file="a.mkv",
        steps=(clip("a.mkv", video=(*pixels("bt709", tags=BT709, form=DEEP), *X264)),),
        outcome=Shown(slack_frames=1),
        has=declares(*BT709) | {"pixels": (DEEP,)},
    ),
    Recipe(
        name="srgb-transfer",
        title="Tagged with the sRGB transfer (screen recorders)",
        treatment=CONVERTED,
        file="a.mp4",
        steps=(
            clip("a.mp4", video=(*pixels("bt709", tags=("bt709", "bt709", "iec61966-2-1")), *X264)),
        ),
        # Players differ: some show sRGB as it is, some convert it to the curve of a television.
        outcome=Shown(tolerance=12),
        has=declares("bt709", "bt709", "iec61966-2-1"),
    ),
    Recipe(
        name="display-p3",
        row="C",
        title="Display P3 primaries",
        treatment=CONVERTED,
        file="a.mp4",
        steps=(
            clip(
                "a.mp4",
                card=Card(space=ColourSpace("smpte432")),
                video=(*pixels("bt709", tags=("bt709", "smpte432", "bt709"), form=DEEP), *X265),
            ),
        ),
        has=declares("bt709", "smpte432", "bt709"),
    ),
    Recipe(
        name="bt2020-sdr",
        row="B",
        title="BT.2020 without HDR",
        treatment=CONVERTED,
        file="a.mp4",
        steps=(
            clip(
                "a.mp4",
                card=Card(space=ColourSpace("bt2020")),
                video=(
                    *pixels("bt2020nc", tags=("bt2020nc", "bt2020", "bt2020-10"), form=DEEP),
                    *X265,
                ),
            ),
        ),
        has=declares("bt2020nc", "bt2020", "bt2020-10"),
    ),
)

UNTAGGED = (
    Recipe(
        name="untagged-sd",
        title="SD size without colour tags",
        treatment=GUESSED.format("BT.601"),
        file="a.mp4",
        steps=(clip("a.mp4"),),
        has=UNDECLARED,
    ),
    Recipe(
        name="untagged-hd",
        title="HD size without colour tags",
        treatment=GUESSED.format("BT.709"),
        file="a.mp4",
        steps=(clip("a.mp4", video=(*pixels("bt709", size="1280:720"), *X264)),),
        has=UNDECLARED,
    ),
    Recipe(
        name="untagged-square-hd",
        row="V",
        title="Square HD (1080x1080) without colour tags",
        treatment=GUESSED.format("BT.709"),
        file="a.mp4",
        steps=(clip("a.mp4", video=(*pixels("bt709", size="1080:1080"), *X264)),),
        outcome=Shown(boxes=((0.0, contained(1, 1)),)),
        has=UNDECLARED | {"sizes": ((1080, 1080),)},
    ),
)

RECIPES = (*DECLARED, *UNTAGGED)
