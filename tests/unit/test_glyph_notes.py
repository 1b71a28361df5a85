"""Characters without a glyph are named in the plan."""

from __future__ import annotations

import pytest

from clipmill.spec import CompilationSpec
from clipmill.timeline.build import TITLE_CARD, build_timeline
from clipmill.timeline.covered_characters import RANGES
from clipmill.timeline.glyph_notes import missing_characters
from clipmill_job.drawing.font_runs import FONTS, font_runs
from clipmill_job.drawing.shaped_text import has_glyph
from font_coverage import module_text

CHEROKEE, TIBETAN = "\u13a0", "\u0f40"
COVERED = [
    "Hello, wor\u0142d",
    "e\u0301",
    "\u05e9\u05c1\u05b8",
    "\u0645\u06cc\u200c\u062e",
    "\u2764\ufe0f\u200d\U0001f525",
    "\U0001f44d\U0001f3fd",
    "\U0001f1e9\U0001f1ea",
    "\U0001f3f4\U000e0067\U000e007f",
    "\u4f60\u597d\uc548\u3053",
    "a\nb",
    "\U0001d54f",
]


@pytest.mark.parametrize("text", COVERED)
def test_covered_texts_have_no_note(text: str) -> None:
    """Neither the planner nor the job's fonts miss a character."""
    assert missing_characters(text) == []
    for run in font_runs(text.replace("\n", " ")):
        shown = run.text.translate(dict.fromkeys((0x200C, 0x200D, 0xFE0F)))
        assert all(has_glyph(run.font, character) for character in shown)


def test_missing_characters_are_named_once() -> None:
    """In the order of the text; the fonts have no glyph for them."""
    assert missing_characters(f"a{TIBETAN}b{CHEROKEE}{TIBETAN}") == [TIBETAN, CHEROKEE]
    for character in (TIBETAN, CHEROKEE):
        assert not any(has_glyph(font, character) for font in FONTS)


def test_the_plan_names_field_and_character() -> None:
    """For overlays of all clips and of one, and for the creator card."""
    spec = CompilationSpec.model_validate(
        {
            "clips": [
                {
                    "color": "#000000",
                    "overlays": [{"text": "fine"}, {"text": TIBETAN}],
                    "credit": {"creator": CHEROKEE, "game": "Chess"},
                }
            ],
            "overlays": [{"text": TIBETAN}],
            "outputs": [{"name": "a", "preset": "custom", "width": 64, "height": 64, "rate": 30}],
        }
    )
    notes = build_timeline(spec, spec.outputs[0], [TITLE_CARD], {}).notes
    assert [(note.split(":")[0], note.count("U+")) for note in notes] == [
        ("spec.overlays[0].text", 1),
        ("spec.clips[0].overlays[1].text", 1),
        ("spec.clips[0].credit.creator", 1),
    ]
    assert "U+0F40" in notes[0]


def test_the_ranges_are_those_of_the_fonts() -> None:
    """`python tools/font_coverage.py` would not change the module."""
    assert RANGES in module_text()
