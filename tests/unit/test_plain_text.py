"""Titles in text files: one line, with every character that a script needs."""

from __future__ import annotations

import pytest

from clipmill.artifacts.chapters import chapters_text
from clipmill.artifacts.credit_list import credits_text
from clipmill.artifacts.plain_text import single_line
from clipmill.protocol.result_record import Chapter, PlayedItem, ResultRecord

KEPT = [
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian with a ZWNJ
    "\u0915\u094d\u200d\u0937",  # Devanagari with a ZWJ
    "\U0001f469\u200d\U0001f680",  # an astronaut: a sequence with a ZWJ
    "\u2764\ufe0f",  # with a variation selector
    "\U0001f3f4\U000e0067\U000e0062\U000e007f",  # with tags
    "100\u00a0km",  # no-break space
    "\u5168\u3000\u89d2",  # ideographic space
    "e\u0301",  # decomposed
    "\ue000",  # private use
]


@pytest.mark.parametrize("text", KEPT)
def test_characters_are_kept(text: str) -> None:
    """In chapters and in credits."""
    assert single_line(text) == text
    assert chapters_text([Chapter(title=text, at=0, frames=1)], 30) == f"0:00 {text}\n"
    item = PlayedItem(
        kind="clip", name="a", media_id=None, sha256="1", at=0, start=0, frames=1, title=text
    )
    record = ResultRecord(title=text, rate=30, frames=1, items=[item])
    assert credits_text(record) == f"{text}\n\n1. {text}\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\nb", "a b"),
        ("a\r\n\tb", "a b"),
        ("  a  b ", "a b"),
        ("a\u2028b\u2029", "a b"),
        ("\x00", ""),
    ],
)
def test_one_line(text: str, line: str) -> None:
    """Whatever breaks a line becomes a space."""
    assert single_line(text) == line
