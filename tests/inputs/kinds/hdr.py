"""HDR of every transfer becomes SDR."""

from __future__ import annotations

from inputs.cards import Card
from inputs.colorimetry import ColourSpace
from inputs.kinds.colour import DEEP, X265, declares
from inputs.kinds.parts import X264, clip, pixels
from inputs.recipe import Ffmpeg, Recipe, Shown, only, steady

PQ = ("bt2020nc", "bt2020", "smpte2084")
HLG = ("bt2020nc", "bt2020", "arib-std-b67")
TONE_MAPPED = (
    "Tone-mapped to SDR: reference white (203 nits) becomes white, and highlights stay white."
)
HDR_SHOWN = Shown(tolerance=14)
# HLG's system gamma is taken into account to first order.
HLG_SHOWN = Shown(tolerance=18)

RECIPES = (
    Recipe(
        name="hdr-pq-hevc",
        row="B",
        title="HDR10: PQ in HEVC, 10 bit",
        treatment=TONE_MAPPED,
        file="a.mp4",
        steps=(
            clip(
                "a.mp4",
                card=Card(space=ColourSpace("bt2020", "pq")),
                video=(*pixels("bt2020nc", tags=PQ, form=DEEP), *X265),
            ),
        ),
        outcome=HDR_SHOWN,
        has=declares(*PQ) | {"pixels": (DEEP,)},
    ),
    Recipe(
        name="hdr-hlg-hevc",
        row="B",
        title="HLG in HEVC, 10 bit (phones)",
        treatment=TONE_MAPPED,
        file="a.mov",
        steps=(
            clip(
                "a.mov",
                card=Card(space=ColourSpace("bt2020", "hlg")),
                video=(*pixels("bt2020nc", tags=HLG, form=DEEP), *X265),
            ),
        ),
        outcome=HLG_SHOWN,
        has=declares(*HLG) | {"pixels": (DEEP,)},
    ),
    Recipe(
        name="hdr-pq-vp9",
        row="B",
        title="PQ in VP9 profile 2 (YouTube)",
        treatment=TONE_MAPPED,
        file="a.webm",
        steps=(
            clip(
                "a.webm",
                card=Card(space=ColourSpace("bt2020", "pq")),
                video=(
                    *pixels("bt2020nc", tags=PQ, form=DEEP),
                    *("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"),
                    *("-b:v", "2M"),
                ),
                audio=("-c:a", "libopus"),
            ),
        ),
        outcome=Shown(tolerance=14, slack_frames=1),
        has=declares(*PQ) | {"pixels": (DEEP,)},
    ),
    Recipe(
        name="hdr-hlg-av1",
        row="B",
        title="HLG in AV1, 10 bit",
        treatment=TONE_MAPPED,
        file="a.mp4",
        steps=(
            clip(
                "a.mp4",
                card=Card(space=ColourSpace("bt2020", "hlg")),
                video=(
                    *pixels("bt2020nc", tags=HLG, form=DEEP),
                    *("-c:v", "libaom-av1", "-usage", "realtime", "-cpu-used", "8", "-crf", "12"),
                ),
            ),
        ),
        outcome=HLG_SHOWN,
        has=declares(*HLG) | {"pixels": (DEEP,)},
    ),
    Recipe(
        name="hdr-pq-transfer-only",
        row="B",
        title="PQ of which only the transfer is tagged",
        treatment=TONE_MAPPED + " Undeclared matrix and primaries are those of BT.2020.",
        file="a.mkv",
        steps=(
            clip(
                "a.mkv",
                card=Card(space=ColourSpace("bt2020", "pq")),
                video=(
                    *pixels("bt2020nc", tags=("unknown", "unknown", "smpte2084"), form=DEEP),
                    *X265,
                ),
            ),
        ),
        outcome=Shown(tolerance=14, slack_frames=1),
        has=declares("", "", "smpte2084") | {"pixels": (DEEP,)},
    ),
    Recipe(
        name="hdr-hlg-portrait",
        row="B",
        title="HLG, turned by its display matrix, at a variable rate (phones)",
        treatment=TONE_MAPPED,
        file="turned.mov",
        steps=(
            clip(
                "pixels.mov",
                *("-fps_mode", "vfr"),
                card=Card(space=ColourSpace("bt2020", "hlg"), turn=270),
                video=(
                    *pixels("bt2020nc", tags=HLG, form=DEEP, then="select='gt(mod(n,3),0)'"),
                    *X265,
                ),
            ),
            Ffmpeg(("-display_rotation", "90", "-i", "pixels.mov", "-c", "copy", "turned.mov")),
        ),
        outcome=Shown(
            tolerance=18,
            slack_frames=1,
            pictures=only(steady(), {n for n in range(60) if n % 3}),
        ),
        has={"orientation": (0, -1, 1, 0), "sizes": ((180, 320),), "frames": (40, 0)},
    ),
    Recipe(
        name="hdr-pq-eight-bit-709",
        row="B",
        title="PQ in 8 bits with a BT.709 matrix (converted by simple tools)",
        treatment=TONE_MAPPED,
        file="a.mp4",
        steps=(
            clip(
                "a.mp4",
                card=Card(space=ColourSpace("bt2020", "pq")),
                video=(*pixels("bt709", tags=("bt709", "bt2020", "smpte2084")), *X264),
            ),
        ),
        outcome=HDR_SHOWN,
        has=declares("bt709", "bt2020", "smpte2084"),
    ),
    Recipe(
        name="hdr-pq-full-range",
        row="B",
        title="PQ in full range",
        treatment=TONE_MAPPED,
        file="a.mp4",
        steps=(
            clip(
                "a.mp4",
                card=Card(space=ColourSpace("bt2020", "pq")),
                video=(*pixels("bt2020nc", tags=PQ, form=DEEP, full=True), *X265),
            ),
        ),
        outcome=HDR_SHOWN,
        has=declares(*PQ, extent="pc"),
    ),
)
