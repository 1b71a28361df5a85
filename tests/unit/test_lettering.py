"""Text as pixels: colour emoji, marks and ligatures where their script wants them, any order."""

from __future__ import annotations

import pytest
from PIL import Image

from clipmill_job.drawing.shaped_text import EMOJI
from clipmill_job.drawing.text_drawing import STANDS_IN, Style, lettered, runs, width

ASTRONAUT = "\U0001f469\u200d\U0001f680"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"


def drawn(text: str, **more: int) -> Image.Image:
    """A line in white."""
    return lettered(text, Style(60, **more))


def ink(image: Image.Image) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what is drawn."""
    found = image.getchannel("A").point(lambda value: 255 * (value > 60)).getbbox()
    assert found is not None
    return found


def share(image: Image.Image, colour: tuple[int, int, int]) -> float:
    """How much of what is drawn is about of a colour."""
    seen = [(r, g, b) for r, g, b, a in image.get_flattened_data() if a > 200]
    near = [one for one in seen if max(abs(a - b) for a, b in zip(one, colour, strict=True)) < 50]
    return len(near) / len(seen)


def test_an_emoji_has_its_colours_and_a_letter_the_styles() -> None:
    """Fire is red and yellow, whatever the colour of the text; letters beside it are white."""
    fire = drawn("\U0001f525")
    assert share(fire, (255, 110, 30)) > 0.2
    assert share(fire, (255, 255, 255)) < 0.05
    assert share(drawn("H"), (255, 255, 255)) > 0.95


def test_an_emoji_fades_with_its_text() -> None:
    """An alpha of the style holds for emoji as well."""
    half = lettered("\U0001f525", Style(60, (255, 255, 255, 128)))
    assert half.getchannel("A").getextrema()[1] == pytest.approx(128, abs=2)


@pytest.mark.parametrize(
    "joined", [ASTRONAUT, FAMILY, "\u2764\ufe0f\u200d\U0001f525", "1\ufe0f\u20e3"]
)
def test_what_is_joined_is_one_emoji(joined: str) -> None:
    """As wide as one, and one unit to the order of letters: also within right-to-left text."""
    assert width(joined, 60) == width("\U0001f525", 60)
    assert (EMOJI, joined) in runs(
        f"\u0645\u0631\u062d\u0628\u0627 {joined} \u05e9\u05dc\u05d5\u05dd"
    )


def test_what_the_font_lacks_is_left_out_or_written() -> None:
    """A tone of skin is dropped, a flag is its letters; no box is drawn for either."""
    assert runs("\U0001f44d\U0001f3fd") == runs("\U0001f44d")
    assert runs(f"{ASTRONAUT[0]}\U0001f3fd{ASTRONAUT[1:]}") == runs(ASTRONAUT)
    assert runs("\U0001f1e9\U0001f1ea") == runs("DE")


def test_devanagari_has_its_ligatures_and_order() -> None:
    """Three letters are one; the short i is written before the letter that it follows."""
    assert width("\u0915\u094d\u0937", 60) < 0.8 * (width("\u0915", 60) + width("\u0937", 60))
    ka, ki = drawn("\u0915"), drawn("\u0915\u093f")
    edge = width("\u0915\u093f", 60) - width("\u0915", 60)
    assert edge > 10
    shifted = ki.crop((round(edge), 0, ki.width, ki.height))
    below = [image.crop((12, 35, 50, 70)).getchannel("A") for image in (ka, shifted)]
    inks = [sum(value > 128 for value in image.get_flattened_data()) for image in below]
    assert inks[1] == pytest.approx(inks[0], rel=0.1)


def test_thai_marks_stand_on_one_another() -> None:
    """A tone above a vowel above a letter: higher than without, and no wider."""
    plain, marked = "\u0e17\u0e35", "\u0e17\u0e35\u0e48"
    assert width(marked, 60) == width(plain, 60)
    assert ink(drawn(marked))[1] < ink(drawn(plain))[1] - 3


def test_an_outline_is_around_shaped_letters_too() -> None:
    """Black, as wide as was asked."""
    plain, edged = ink(drawn("\u0e17")), ink(drawn("\u0e17", outline=3))
    assert (edged[2] - edged[0]) - (plain[2] - plain[0]) == pytest.approx(6, abs=1)
    assert share(drawn("\u0e17", outline=3), (0, 0, 0)) > 0.2


def test_a_text_may_have_every_character_that_stands_in_for_emoji() -> None:
    """Another is taken, or, when none is left, the emoji is drawn as its parts."""
    assert runs(f"\u2502{ASTRONAUT}")[-1] == (EMOJI, ASTRONAUT)
    assert runs("".join(STANDS_IN) + ASTRONAUT)[-1][1].endswith("\U0001f469\U0001f680")
