"""Texts that have to be composed and shaped, and what their pictures have in common."""

from __future__ import annotations

from typing import NamedTuple


class Alike(NamedTuple):
    """Two spellings of a text that look the same."""

    name: str
    composed: str
    decomposed: str


class Marked(NamedTuple):
    """A letter, and the same with a mark in the middle above or below it."""

    name: str
    letter: str
    marked: str
    above: bool


class Script(NamedTuple):
    """A script by two of its letters, which do not look the same."""

    name: str
    one: str
    other: str


ALIKE = (
    Alike("latin", "\u00e9\u00f1\u00fc", "e\u0301n\u0303u\u0308"),
    Alike("vietnamese", "Vi\u1ec7t", "Vie\u0323\u0302t"),
    Alike("cyrillic", "\u0439", "\u0438\u0306"),
    Alike("hangul", "\ud55c\uae00", "\u1112\u1161\u11ab\u1100\u1173\u11af"),
    Alike("kana", "\u304c", "\u304b\u3099"),
)
MARKED = (
    Marked("latin-below", "x", "x\u0323", above=False),
    Marked("latin-above", "m", "m\u0307", above=True),
    Marked("latin-two", "q", "q\u0307\u0304", above=True),
    Marked("hebrew-qamats", "\u05de", "\u05de\u05b8", above=False),
    Marked("hebrew-hiriq", "\u05d1", "\u05d1\u05b4", above=False),
    Marked("hebrew-narrow", "\u05d5", "\u05d5\u05b8", above=False),
    Marked("arabic-fatha", "\u0633", "\u0633\u064e", above=True),
    Marked("arabic-kasra", "\u0628", "\u0628\u0650", above=False),
    Marked("thai-vowel", "\u0e01", "\u0e01\u0e35", above=True),
)
SCRIPTS = (
    Script("latin", "A", "B"),
    Script("cyrillic", "\u0416", "\u042f"),
    Script("greek", "\u03a9", "\u03a8"),
    Script("han", "\u65e5", "\u672c"),
    Script("kana", "\u3042", "\u3093"),
    Script("hangul", "\ud55c", "\uad6d"),
    Script("arabic", "\u0634", "\u0642"),
    Script("hebrew", "\u05e9", "\u05dd"),
    Script("devanagari", "\u0915", "\u0936"),
    Script("thai", "\u0e01", "\u0e2a"),
    Script("bengali", "\u0995", "\u09ac"),
    Script("tamil", "\u0b95", "\u0bb4"),
    Script("telugu", "\u0c15", "\u0c36"),
    Script("gujarati", "\u0a95", "\u0ab6"),
    Script("gurmukhi", "\u0a15", "\u0a38"),
    Script("kannada", "\u0c95", "\u0cb6"),
    Script("malayalam", "\u0d15", "\u0d36"),
    Script("ethiopic", "\u1200", "\u12a0"),
    Script("mathematical", "\U0001d4d0", "\U0001d4d1"),
)
NO_GLYPH = "\ue000"
JOINERS = (
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian: ZWNJ
    "\u0915\u094d\u200d\u0937",  # Devanagari: ZWJ
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",  # a family of three: ZWJ
)
