"""The inputs table itself: every file has the properties that its row claims."""

from __future__ import annotations

import av
import numpy as np
import pytest

from inputs import cards, colorimetry, inspection
from inputs.cards import Card
from inputs.claims import unmet_claims
from inputs.kinds import colour, hdr
from inputs.making import Files
from inputs.recipe import Ffmpeg, Recipe, Shown
from inputs.recipes import RECIPES

MOST_FRAMES = 240
# Recipes whose cards cannot be read as they are coded, or whose clock is the point.
UNREADABLE = {"turned", "mirrored", "ts", "alpha", "unused", "truncated", "aspect", "one", "wmv"}
NEAR_S = 0.006
ROWS = set("BCDEFGHIJKLMPQRTUV")  # the others are no files: see the tests of mixtures and texts


def test_names_are_unique() -> None:
    """They name folders and test cases."""
    names = [recipe.name for recipe in RECIPES]
    assert len(set(names)) == len(names)


def test_every_row_of_the_issue_has_a_recipe() -> None:
    """The rows that are files."""
    assert {recipe.row for recipe in RECIPES} - {""} == ROWS


def test_enough_sources_play() -> None:
    """A matrix of 40 unlike sources."""
    assert sum(isinstance(recipe.outcome, Shown) for recipe in RECIPES) >= 40


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_has_what_it_claims(recipe: Recipe, files: Files) -> None:
    """Codecs, start times, tags, sizes: a recipe without its property would prove nothing."""
    assert unmet_claims(recipe, files.of(recipe)) == []


def _readable(recipe: Recipe) -> bool:
    outcome = recipe.outcome
    plain = isinstance(outcome, Shown) and bool(outcome.pictures)
    return plain and "orientation" not in recipe.has and recipe.name.split("-")[0] not in UNREADABLE


READABLE = [recipe for recipe in RECIPES if _readable(recipe)]


@pytest.mark.parametrize("recipe", READABLE, ids=lambda recipe: recipe.name)
def test_shows_the_cards_of_its_row(recipe: Recipe, files: Files) -> None:
    """The file's own time stamps agree with the table's pictures, both from the first stream on."""
    assert isinstance(recipe.outcome, Shown)
    shown = _cards(recipe, files)
    expected = recipe.outcome.pictures
    assert [number for _, number in shown] == [number for _, number in expected]
    # From the second card on: the first one is on screen from the start.
    apart = [abs(a - b) for (a, _), (b, _) in zip(shown, expected, strict=True)]
    assert max([0.0, *apart[1:]]) <= NEAR_S


def _cards(recipe: Recipe, files: Files) -> list[tuple[float, int]]:
    """When each card of the film appears, by the file's time stamps."""
    path = files.of(recipe)
    facts = inspection.facts(path)
    index = max(range(len(facts["frames"])), key=lambda i: (facts["frames"][i], i))
    counted = zip(facts["first_s"], facts["samples"], strict=True)
    zero = min([facts["first_s"][index], *(first for first, count in counted if count)])
    with av.open(str(path)) as container:
        return [
            (float(frame.pts * frame.time_base) - zero, _number(frame))
            for frame in container.decode(container.streams[index])
        ]


def _number(frame: av.VideoFrame) -> int:
    grey = frame.reformat(format="gray").to_ndarray()
    height = len(grey)
    band = grey[round(height * 0.07) : max(round(height * 0.17), round(height * 0.07) + 2)]
    cells = np.array_split(band, cards.BITS, axis=1)
    middles = [cell[:, cell.shape[1] // 3 : -(cell.shape[1] // 3)] for cell in cells]
    threshold = (int(grey.max()) + int(grey.min())) / 2
    return sum(int(middle.mean() > threshold) << bit for bit, middle in enumerate(middles))


def _card(recipe: Recipe) -> Card:
    steps = [step for step in recipe.steps if isinstance(step, Ffmpeg)]
    return next(each for each in steps[0].args if isinstance(each, Card))


UPRIGHT = [each for each in (*colour.RECIPES, *hdr.RECIPES) if "orientation" not in each.has]


@pytest.mark.parametrize("recipe", UPRIGHT, ids=lambda recipe: recipe.name)
def test_holds_the_colours_of_its_space(recipe: Recipe, files: Files) -> None:
    """The code values are those of the card in the declared, or guessed, colour space."""
    card = _card(recipe)
    with av.open(str(files.of(recipe))) as container:
        frame = next(container.decode(video=0))
    planes = [plane.astype(np.float64) for plane in inspection.planes(frame)[:3]]
    expected = colorimetry.encoded(np.array(cards.COLOURS) / 255, card.space)
    tags = {name: recipe.has.get(name, "") for name in ("matrix", "range")}
    guessed = "smpte170m" if frame.height <= 576 else "bt709"
    matrix = tags["matrix"] or ("bt2020nc" if card.space.transfer in ("pq", "hlg") else guessed)
    read = colorimetry.decoded(
        np.array([[_mean(plane, i) for plane in planes] for i in range(len(cards.COLOURS))]),
        matrix=str(matrix),
        full_range=tags["range"] == "pc" or frame.format.name.startswith("yuvj"),
        bits=frame.format.components[0].bits,
    )
    assert np.abs(read - expected).max() * 255 < 4


def _mean(plane: np.ndarray, i: int) -> float:
    height, width = plane.shape
    rows = slice(round(height * 0.4), round(height * 0.6))
    columns = slice(round(width * (i + 0.3) / 4), round(width * (i + 0.7) / 4))
    return float(plane[rows, columns].mean())
