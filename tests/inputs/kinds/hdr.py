"""HDR of every transfer becomes SDR."""

from __future__ import annotations

from inputs.cards import GREY, Card
from inputs.colorimetry import ColourSpace
from inputs.kinds.colour import DEEP, X265, declares
from inputs.kinds.parts import clip, pixels
from inputs.recipe import Recipe, Shown

PQ = ("bt2020nc", "bt2020", "smpte2084")
HLG = ("bt2020nc", "bt2020", "arib-std-b67")
TONE_MAPPED = (
    "Tone-mapped to SDR: reference white (203 nits) becomes white, and highlights stay white."
)
HDR_SHOWN = Shown(tolerance=14)
# How a saturated colour of HLG comes out depends on the display that is thought of.
HLG_SHOWN = Shown(tolerance=14, colours=(None, None, None, GREY))

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
        fails_today=True,
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
        fails_today=True,
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
        fails_today=True,
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
                    *("-c:v", "libsvtav1", "-preset", "12", "-crf", "20"),
                ),
            ),
        ),
        outcome=HLG_SHOWN,
        has=declares(*HLG) | {"pixels": (DEEP,)},
        fails_today=True,
    ),
)
