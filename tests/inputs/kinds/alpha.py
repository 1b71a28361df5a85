"""Transparency: what a clip hides stays hidden."""

from __future__ import annotations

from inputs.cards import BLACK, COLOURS, RED, Card
from inputs.colorimetry import ColourSpace
from inputs.kinds.colour import BT709, X265
from inputs.kinds.hdr import PQ
from inputs.kinds.parts import clip, pixels
from inputs.recipe import FULL, Recipe, Shown

# The blue field is clear and hides blue; of the red one half is seen.
CLEAR = Card(alphas=(1.0, 0.5, 0.0, 1.0))
HALF_RED = tuple(round(value / 2) for value in RED)
OVER_BLACK = (COLOURS[0], HALF_RED, BLACK, COLOURS[3])
COMPOSED = "Composed over black."


SHOWN = Shown(colours=OVER_BLACK, tolerance=9, boxes=((0.0, FULL),), slack_frames=1)


def _clear(
    name: str,
    title: str,
    file: str,
    *video: str,
    card: Card = CLEAR,
    shown: Shown = SHOWN,
    **more: object,
) -> Recipe:
    audio = ("-c:a", "libopus") if file.endswith("webm") else ("-c:a", "pcm_s16le")
    return Recipe(
        name=name,
        row="T",
        title=title,
        treatment=COMPOSED,
        file=file,
        steps=(clip(file, card=card, video=video, audio=audio),),
        outcome=shown,
        has=more,
    )


_VP9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "2M")
RECIPES = (
    _clear(
        "alpha-prores",
        "ProRes 4444 with transparency",
        "a.mov",
        *(*pixels("bt709", tags=BT709, form="yuva444p10le"), "-c:v", "prores_ks"),
        *("-profile:v", "4444", "-alpha_bits", "8"),
        codecs=("video:prores", "audio:pcm_s16le"),
    ),
    _clear(
        "alpha-vp9",
        "VP9 with transparency",
        "a.webm",
        *(*pixels("bt709", tags=BT709, form="yuva420p"), *_VP9, "-auto-alt-ref", "0"),
    ),
    _clear(
        "alpha-qtrle",
        "QuickTime Animation with transparency",
        "a.mov",
        *("-c:v", "qtrle", "-pix_fmt", "argb"),
        pixels=("argb",),
    ),
    _clear(
        "alpha-png",
        "PNG in QuickTime with transparency",
        "a.mov",
        *("-c:v", "png", "-pix_fmt", "rgba"),
        pixels=("rgba",),
    ),
    _clear(
        "alpha-vp8",
        "VP8 with transparency",
        "a.webm",
        *(*pixels(form="yuva420p"), "-c:v", "libvpx", "-b:v", "2M"),
        *("-deadline", "realtime", "-auto-alt-ref", "0"),
    ),
    _clear(
        "alpha-hevc",
        "HEVC with transparency (phones)",
        "a.mov",
        *(*pixels("bt709", tags=BT709, form="yuva420p"), *X265),
    ),
    _clear(
        "alpha-hdr",
        "ProRes 4444 in PQ with transparency",
        "a.mov",
        *(*pixels("bt2020nc", tags=PQ, form="yuva444p10le"), "-c:v", "prores_ks"),
        *("-profile:v", "4444", "-alpha_bits", "16"),
        # Half of a PQ code value is no half of the light: no field is half transparent.
        card=Card(alphas=(1.0, 1.0, 0.0, 1.0), space=ColourSpace("bt2020", "pq")),
        shown=Shown(colours=(COLOURS[0], COLOURS[1], BLACK, COLOURS[3]), tolerance=14),
    ),
)
