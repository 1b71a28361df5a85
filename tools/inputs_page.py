"""Write docs/inputs.md, the table of what is read and how it is treated.

.venv/bin/python tools/inputs_page.py

The rows are those that tests/inputs asserts.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from inputs.recipe import Music, Outcome, Recipe, Refused, Shown
from inputs.recipes import GROUPS

PAGE = Path(__file__).parents[1] / "docs/inputs.md"
HEAD = """# Inputs

What a clip may be, and what Clipmill does with it. A clip is rendered as a player shows it: the
same pictures at the same moments, upright, in their true shape and colours, with the sound in time.

`tools/inputs_page.py` generates this page from the table in `tests/inputs`. Each row is a file that
the tests generate and render. *Measured* is what they assert of the result, at 320x180 and 30
frames a second. Every result has 48 kHz stereo sound, is tagged BT.709 in matrix, primaries and
transfer, and has limited range. Of two numbers of frames the larger one holds where the sound is
padded. *Not yet* marks a row whose test is expected to fail.
"""
COLUMNS = "| Kind | Treatment | Measured |\n|---|---|---|"


def page() -> str:
    """Return the text of the page."""
    parts = [HEAD]
    for title, recipes in GROUPS.items():
        rows = "\n".join(_row(recipe) for recipe in recipes)
        parts.append(f"## {title}\n\n{COLUMNS}\n{rows}\n")
    return "\n".join(parts)


def _row(recipe: Recipe) -> str:
    mark = "*Not yet:* " if recipe.fails_today else ""
    return f"| {recipe.title} | {mark}{recipe.treatment} | {_measured(recipe.outcome)} |"


def _measured(outcome: Outcome) -> str:
    match outcome:
        case Shown() as shown:
            return "; ".join([_pictures(shown), _sound(shown)])
        case Refused(code=code, names=names):
            return f"`{code}`" + (f", named {names}" if names else "")
        case Music(seconds=seconds):
            return f"{seconds:g} s of sound"


def _pictures(shown: Shown) -> str:
    most = shown.frames + shown.slack_frames
    joiner = " or " if shown.slack_frames == 1 else " to "
    count = f"{shown.frames}{joiner}{most}" if shown.slack_frames else str(most)
    frames = f"{count} frame{'' if most == 1 else 's'}"
    colours = f"colours within {shown.tolerance} of 255"
    boxes = {tuple(round(side) for side in box[2:]) for _, box in shown.boxes}
    sizes = " and ".join(f"{width}x{height}" for width, height in sorted(boxes, reverse=True))
    return f"{frames}, {colours}" + ("" if sizes == "320x180" else f", picture {sizes}")


def _sound(shown: Shown) -> str:
    if shown.sound is None:
        return "silent" + (", with a note" if shown.noted else "")
    return "sound" if shown.beep_s is None else f"sound within {shown.sync_ms} ms"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
