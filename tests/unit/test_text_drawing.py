"""Rendered text: colour emoji, combining marks, ligatures, right-to-left."""

from __future__ import annotations

import unicodedata

import pytest
from PIL import Image

from clipmill_job.drawing.font_runs import FONTS, font_runs
from clipmill_job.drawing.shaped_text import EMOJI, has_glyph
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
    runs = font_runs(f"\u0645\u0631\u062d\u0628\u0627 {sequence} \u05e9\u05dc\u05d5\u05dd")
    assert (EMOJI, sequence) in [(run.font, run.text) for run in runs]


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


def pixels(text: str) -> bytes:
    """The pixels of a line."""
    return draw(text).tobytes()


@pytest.mark.parametrize(
    "composed", ["\u00e9", "\u1ec7", "\u0439", "\u03ce", "\ud55c", "\u304c", "\u0958"]
)
def test_decomposed_letters_are_composed(composed: str) -> None:
    """A letter and its marks have the pixels of the composed letter, in every script."""
    decomposed = unicodedata.normalize("NFD", composed)
    assert decomposed != composed
    assert pixels(f"x{decomposed}x") == pixels(f"x{composed}x")


# A letter, and a mark or marks that no composed letter has.
MARKED = {
    "Hebrew point": ("\u05e9", "\u05e9\u05c1\u05b8"),
    "Hebrew dagesh": ("\u05d1", "\u05d1\u05b7"),
    "Arabic vowels": ("\u0628", "\u0628\u0651\u064e"),
    "Latin": ("q", "q\u0304\u0301"),
    "Cyrillic": ("\u044e", "\u044e\u0301"),
    "Bengali": ("\u0995", "\u0995\u09c1"),
    "Tamil": ("\u0b95", "\u0b95\u0bcd"),
    "Burmese": ("\u1000", "\u1000\u102f"),
}


@pytest.mark.parametrize("case", MARKED)
def test_marks_are_in_place(case: str) -> None:
    """A mark takes no width, and stays within a third of the letter to both sides."""
    plain, marked = MARKED[case]
    assert text_width(marked, 60) == pytest.approx(text_width(plain, 60), abs=8)
    (left, top, right, bottom), (l2, t2, r2, b2) = ink(draw(plain)), ink(draw(marked))
    third = (right - left) / 3
    assert l2 >= left - third
    assert r2 <= right + third
    assert (t2 < top - 2 or b2 > bottom + 2) or pixels(plain) != pixels(marked)


# A word in each script of the thirty most spoken languages, and in some more.
WORDS = {
    "Amharic": "\u1230\u120b\u121d",
    "Armenian": "\u0532\u0561\u0580\u0587",
    "Bengali": "\u09a8\u09ae\u09b8\u09cd\u0995\u09be\u09b0",
    "Burmese": "\u1019\u1004\u103a\u1039\u1002\u101c\u102c",
    "Chinese": "\u4f60\u597d",
    "Georgian": "\u10d2\u10d0\u10db\u10d0\u10e0\u10ef\u10dd\u10d1\u10d0",
    "Gujarati": "\u0aa8\u0aae\u0ab8\u0acd\u0aa4\u0ac7",
    "Hausa": "\u0198awa",
    "Hindi": "\u0928\u092e\u0938\u094d\u0924\u0947",
    "Japanese": "\u3053\u3093\u306b\u3061\u306f",
    "Javanese": "\ua9b1\ua9ae",
    "Kannada": "\u0ca8\u0cae\u0cb8\u0ccd\u0c95\u0cbe\u0cb0",
    "Khmer": "\u179f\u17bd\u179f\u17d2\u178f\u17b8",
    "Korean": "\uc548\ub155",
    "Lao": "\u0eaa\u0eb0\u0e9a\u0eb2\u0e8d",
    "Malayalam": "\u0d28\u0d2e\u0d38\u0d4d\u0d15\u0d3e\u0d30\u0d02",
    "Odia": "\u0b28\u0b2e\u0b38\u0b4d\u0b15\u0b3e\u0b30",
    "Persian": "\u067e\u0686\u0698\u06af",
    "Punjabi": "\u0a38\u0a24 \u0a38\u0a4d\u0a30\u0a40",
    "Russian": "\u041f\u0440\u0438\u0432\u0435\u0442",
    "Sinhala": "\u0d86\u0dba\u0dd4\u0db6\u0ddd\u0dc0\u0db1\u0dca",
    "Tamil": "\u0bb5\u0ba3\u0b95\u0bcd\u0b95\u0bae\u0bcd",
    "Telugu": "\u0c28\u0c2e\u0c38\u0c4d\u0c15\u0c3e\u0c30\u0c02",
    "Thai": "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35",
    "Urdu": "\u0679\u06be\u06cc\u06a9",
    "Vietnamese": "Ti\u1ebfng Vi\u1ec7t",
    "mathematical letters": "\U0001d4d0\U0001d54f",
}


@pytest.mark.parametrize("language", WORDS)
def test_every_script_has_its_glyphs(language: str) -> None:
    """One font draws a word, and has each of its characters."""
    runs = font_runs(WORDS[language])
    assert len({run.font for run in runs if not run.text.isspace()} - {FONTS[0]}) <= 1
    for run in runs:
        assert all(has_glyph(run.font, character) for character in run.text)


def test_conjuncts_are_shaped() -> None:
    """Two consonants joined by a virama are narrower than both."""
    for first, virama, second in (
        ("\u0995", "\u09cd", "\u09a4"),
        ("\u0d15", "\u0d4d", "\u0d15"),
        ("\u1000", "\u1039", "\u1000"),
    ):
        both = text_width(first, 60) + text_width(second, 60)
        assert text_width(first + virama + second, 60) < 0.95 * both


def test_arabic_letters_are_joined() -> None:
    """A ZWNJ keeps two letters apart, a ZWJ keeps the joined form of a single letter."""
    assert pixels("\u0645\u200c\u06cc") != pixels("\u0645\u06cc")
    assert pixels("\u0647\u200d") != pixels("\u0647")


# A text in logical order, and what stands from left to right. Lower case: left to right.
ORDERS = [
    ("abc", ["abc"]),
    ("\u05d0\u05d1", ["\u05d0\u05d1"]),
    ("ab \u05d0\u05d1", ["ab ", "\u05d0\u05d1"]),
    ("\u05d0\u05d1 ab", ["ab", " ", "\u05d0\u05d1"]),
    ("\u05d0 12 \u05d1", ["\u05d1", " ", "12", " ", "\u05d0"]),
    ("\u05d0 (ab) \u05d1", ["\u05d1", ") ", "ab", " (", "\u05d0"]),
    ("a (\u05d0) b", ["a (", "\u05d0", ") b"]),
]


@pytest.mark.parametrize(("text", "expected"), ORDERS)
def test_order(text: str, expected: list[str]) -> None:
    """Runs stand as the bidirectional algorithm says, brackets in pairs."""
    assert "".join(run.text for run in font_runs(text)) == "".join(expected)


def test_brackets_are_mirrored() -> None:
    """In text from right to left, the opening bracket is the one that opens to the left."""
    assert pixels("\u05d0(") != pixels("\u05d0)")
    (run, *_) = (run for run in font_runs("\u05d0 (ab)") if "(" in run.text)
    assert run.is_rtl


def test_the_language_of_the_machine_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Letter forms that differ by language, such as those of Serbian, stay the same."""
    before = pixels("\u0431\u0433\u0434")
    monkeypatch.setenv("LANG", "sr_RS.UTF-8")
    assert pixels("\u0431\u0433\u0434") == before


@pytest.mark.parametrize(
    "text", ["\u0628\u0650", "\u0cb8\u0ccd\u0c95\u0cc3", "\u1019\u1039\u1019\u1030"]
)
def test_nothing_is_cut_off(text: str) -> None:
    """The image is higher where marks reach below the line, and just as high as they need."""
    image = draw(text)
    assert image.height > draw("Hg").height == round(60 * 1.3)
    assert ink(image)[3] >= image.height - 2
