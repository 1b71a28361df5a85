"""Rendered text: colour emoji, combining marks, ligatures, right-to-left."""

from __future__ import annotations

import pytest
from PIL import Image

from clipmill_job.drawing.font_runs import PLACEHOLDERS, font_runs
from clipmill_job.drawing.shaped_text import EMOJI
from clipmill_job.drawing.text_drawing import TextStyle, draw_text, text_width

ASTRONAUT = "\U0001f469\u200d\U0001f680"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"


def draw(text: str, outline: int = 0) -> Image.Image:
    """A line in white."""
    return draw_text(text, TextStyle(60, outline=outline))


def ink(image: Image.Image) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the pixels that are not transparent."""
    box = image.getchannel("A").point(lambda value: 255 * (value > 60)).getbbox()
    assert box is not None
    return box


def share(image: Image.Image, colour: tuple[int, int, int]) -> float:
    """The share of opaque pixels that are near a colour."""
    opaque = [(r, g, b) for r, g, b, a in image.get_flattened_data() if a > 200]
    near = [p for p in opaque if max(abs(a - b) for a, b in zip(p, colour, strict=True)) < 50]
    return len(near) / len(opaque)


def test_emoji_are_in_colour() -> None:
    """Fire is red and yellow whatever the text's colour; letters have the text's colour."""
    fire = draw("\U0001f525")
    assert share(fire, (255, 110, 30)) > 0.2
    assert share(fire, (255, 255, 255)) < 0.05
    assert share(draw("H"), (255, 255, 255)) > 0.95


def test_emoji_have_the_alpha_of_their_text() -> None:
    """The style's alpha applies to emoji, too."""
    half = draw_text("\U0001f525", TextStyle(60, (255, 255, 255, 128)))
    assert half.getchannel("A").getextrema()[1] == pytest.approx(128, abs=2)


@pytest.mark.parametrize(
    "sequence", [ASTRONAUT, FAMILY, "\u2764\ufe0f\u200d\U0001f525", "1\ufe0f\u20e3"]
)
def test_a_sequence_is_one_emoji(sequence: str) -> None:
    """As wide as one emoji, and kept together within right-to-left text."""
    assert text_width(sequence, 60) == text_width("\U0001f525", 60)
    assert (EMOJI, sequence) in font_runs(
        f"\u0645\u0631\u062d\u0628\u0627 {sequence} \u05e9\u05dc\u05d5\u05dd"
    )


def test_skin_tones_are_dropped_and_flags_written_as_letters() -> None:
    """The font has neither; no box is rendered for them."""
    assert font_runs("\U0001f44d\U0001f3fd") == font_runs("\U0001f44d")
    assert font_runs(f"{ASTRONAUT[0]}\U0001f3fd{ASTRONAUT[1:]}") == font_runs(ASTRONAUT)
    assert font_runs("\U0001f1e9\U0001f1ea") == font_runs("DE")


def test_devanagari_is_shaped() -> None:
    """Three letters form a ligature; the short i is rendered before the letter that it follows."""
    assert text_width("\u0915\u094d\u0937", 60) < 0.8 * (
        text_width("\u0915", 60) + text_width("\u0937", 60)
    )
    ka, ki = draw("\u0915"), draw("\u0915\u093f")
    edge = text_width("\u0915\u093f", 60) - text_width("\u0915", 60)
    assert edge > 10
    shifted = ki.crop((round(edge), 0, ki.width, ki.height))
    below = [image.crop((12, 35, 50, 70)).getchannel("A") for image in (ka, shifted)]
    inks = [sum(value > 128 for value in image.get_flattened_data()) for image in below]
    assert inks[1] == pytest.approx(inks[0], rel=0.1)


def test_thai_marks_are_stacked() -> None:
    """A tone mark above a vowel above a letter is higher than without it, and no wider."""
    plain, marked = "\u0e17\u0e35", "\u0e17\u0e35\u0e48"
    assert text_width(marked, 60) == text_width(plain, 60)
    assert ink(draw(marked))[1] < ink(draw(plain))[1] - 3


def test_shaped_letters_have_an_outline() -> None:
    """It is black and as wide as the style says."""
    plain, edged = ink(draw("\u0e17")), ink(draw("\u0e17", outline=3))
    assert (edged[2] - edged[0]) - (plain[2] - plain[0]) == pytest.approx(6, abs=1)
    assert share(draw("\u0e17", outline=3), (0, 0, 0)) > 0.2


def test_a_text_may_contain_placeholders() -> None:
    """Another placeholder is used; when none is left, the sequence is rendered as its parts."""
    assert font_runs(f"\u2502{ASTRONAUT}")[-1] == (EMOJI, ASTRONAUT)
    assert font_runs("".join(PLACEHOLDERS) + ASTRONAUT)[-1][1].endswith("\U0001f469\U0001f680")
