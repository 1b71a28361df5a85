"""Texts over the picture are composed and shaped, and text files keep every character (row S)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import clipmaker
from clipmill.protocol import CompilationState
from inputs import inspection, texts
from inputs.rendering import download, spec_of
from inputs.texts import Alike, Marked, Script
from studio import Studio, custom

OUTPUT = custom(640, 180)
LIT = 60
Picture = NDArray[np.float64]
ALL = [
    *(text for each in texts.ALIKE for text in (each.composed, each.decomposed)),
    *(text for each in texts.MARKED for text in (each.letter, each.marked)),
    *(text for each in texts.SCRIPTS for text in (each.one, each.other)),
]


@pytest.fixture(scope="module")
def dark(studio: Studio, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A clip of black."""
    path = tmp_path_factory.mktemp("dark") / "dark.mp4"
    return studio.upload(clipmaker.clip(path, seconds=0.5, picture="color"))


@pytest.fixture(scope="module")
def pictures(studio: Studio, dark: str) -> Mapping[str, Picture]:
    """Each text as it is rendered: one clip of one frame for each."""
    shared = {"mediaId": dark, "end": "34ms"}
    clips = [{**shared, "overlays": [{"text": t, "size": 40, "position": "Center"}]} for t in ALL]
    view = studio.render({"clips": clips, "outputs": [OUTPUT]})
    assert view.state is CompilationState.SUCCEEDED, view.message
    frames = clipmaker.frames(download(studio, view))
    assert len(frames) == len(ALL)
    return {text: _luma(frame) for text, frame in zip(ALL, frames, strict=True)}


def _luma(frame: Any) -> Picture:
    return inspection.planes(frame)[0].astype(np.float64)


def _width(picture: Picture) -> int:
    columns = np.flatnonzero((picture > LIT).any(axis=0))
    return int(columns[-1] - columns[0]) if len(columns) else 0


def _unlike(one: Picture, other: Picture) -> float:
    """Return which share of what is lit differs, by more than the edges of letters."""
    lit = (one > LIT) | (other > LIT)
    return float((np.abs(one - other)[lit] > 2 * LIT).mean()) if lit.any() else 0.0


@pytest.mark.parametrize("case", texts.ALIKE, ids=lambda case: case.name)
def test_spellings_of_one_text_look_the_same(case: Alike, pictures: Mapping[str, Picture]) -> None:
    """Composed letters, and letters with marks of their own."""
    assert _width(pictures[case.composed]) > 0
    assert _unlike(pictures[case.composed], pictures[case.decomposed]) < 0.05


@pytest.mark.parametrize("case", texts.MARKED, ids=lambda case: case.name)
def test_marks_are_in_place(case: Marked, pictures: Mapping[str, Picture]) -> None:
    """Above or below the middle of the letter, which they make no wider."""
    letter, marked = pictures[case.letter] > LIT, pictures[case.marked] > LIT
    assert abs(_width(pictures[case.letter]) - _width(pictures[case.marked])) <= 2
    rows, columns = np.nonzero(marked & ~_grown(letter))
    assert len(rows) > 0
    lit = np.flatnonzero(letter.any(axis=0))
    assert abs(columns.mean() - (lit[0] + lit[-1]) / 2) <= 0.25 * (lit[-1] - lit[0]) + 2
    height = np.flatnonzero(letter.any(axis=1))
    assert bool(rows.mean() < height.mean()) is case.above


def _grown(lit: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return what is lit and the pixels next to it."""
    steps = [np.roll(lit, step, axis) for axis in (0, 1) for step in (-1, 1)]
    return np.logical_or.reduce([lit, *steps])


@pytest.mark.parametrize("case", texts.SCRIPTS, ids=lambda case: case.name)
def test_every_script_has_a_font(case: Script, pictures: Mapping[str, Picture]) -> None:
    """Two letters differ in their pixels: boxes would not."""
    assert min(_width(pictures[case.one]), _width(pictures[case.other])) > 0
    assert _unlike(pictures[case.one], pictures[case.other]) > 0.05


def test_the_plan_names_characters_without_a_glyph(studio: Studio, dark: str) -> None:
    """By their code points, so that a person can find them."""
    spec = spec_of(dark, overlays=[{"text": f"A{texts.NO_GLYPH}B"}])
    _, plan = studio.api.register(studio.owner, spec)
    assert [note for note in plan.outputs[0].notes if "U+E000" in note]


@pytest.fixture(scope="module")
def text_files(
    studio: Studio, dark: str, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, str]:
    """Chapters and credits of clips with joiners in their titles."""
    clips = [
        {"mediaId": dark, "title": text, "credit": {"creator": text}} for text in texts.JOINERS
    ]
    view = studio.render({"clips": clips, "outputs": [OUTPUT]})
    assert view.state is CompilationState.SUCCEEDED, view.message
    folder: Path = tmp_path_factory.mktemp("texts")
    files = {}
    for name in ("main-chapters.txt", "main-credits.txt"):
        studio.user.download_output(view.id, name, folder / name)
        files[name] = (folder / name).read_text(encoding="utf-8")
    return files


@pytest.mark.parametrize("name", ["main-chapters.txt", "main-credits.txt"])
@pytest.mark.parametrize("text", texts.JOINERS, ids=["persian", "devanagari", "emoji"])
def test_text_files_keep_joiners(name: str, text: str, text_files: Mapping[str, str]) -> None:
    """ZWJ and ZWNJ are part of the word."""
    assert text in text_files[name]
