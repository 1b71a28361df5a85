"""Facts measured in a rendered file: frames, numbers, colours, borders, tones, flash and beep.

Pixels are decoded by PyAV and converted by the formulas of colorimetry; nothing of the renderer
takes part.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

import levels
from inputs import cards, inspection
from inputs.colorimetry import decoded
from inputs.hearing import beep_at, sound_faults
from inputs.recipe import RATE, SIZE, Box, Pictures, Shown

EARLY_S = 0.004  # times in milliseconds may put a card this much off
LIT = 125  # brightness from which a cell is white, 16 to 235
COMB = 3.0  # mean difference of neighbouring lines from which fields are seen
EDGE = 4  # pixels next to the picture's edge that scaling may blur
TAGS = ("bt709", "bt709", "bt709", "tv")


@dataclass(frozen=True, slots=True)
class Picture:
    """One decoded frame: planes of Y, U and V."""

    luma: NDArray[np.uint8]
    blue: NDArray[np.uint8]
    red: NDArray[np.uint8]

    @property
    def scale(self) -> float:
        """Pixels for each pixel of the table's output size."""
        return self.luma.shape[1] / SIZE[0]

    def area(self, left: float, top: float, right: float, bottom: float) -> NDArray[np.uint8]:
        """Return the luma of an area in the table's output size."""
        return self.luma[self._rows(top, bottom), self._columns(left, right)]

    def colour(self, left: float, top: float, right: float, bottom: float) -> NDArray[np.float64]:
        """Return the mean colour of an area, 0 to 255."""
        rows, columns = self._rows(top, bottom), self._columns(left, right)
        small = (_half(rows), _half(columns))
        mean = np.array([self.luma[rows, columns].mean()] + [p[small].mean() for p in self._chroma])
        return np.clip(decoded(mean, matrix="bt709", full_range=False), 0, 1) * 255

    @property
    def _chroma(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        return self.blue, self.red

    def _rows(self, top: float, bottom: float) -> slice:
        return slice(
            round(top * self.scale), max(round(top * self.scale) + 2, round(bottom * self.scale))
        )

    def _columns(self, left: float, right: float) -> slice:
        return slice(
            round(left * self.scale), max(round(left * self.scale) + 2, round(right * self.scale))
        )


def _half(pixels: slice) -> slice:
    return slice(pixels.start // 2, max(pixels.start // 2 + 1, pixels.stop // 2))


@dataclass(frozen=True, slots=True)
class Rendered:
    """A rendered file: its pictures, when each is shown, its samples and its colour tags."""

    pictures: tuple[Picture, ...]
    times: tuple[Fraction, ...]
    sound: levels.Sound
    tags: tuple[str, str, str, str]


def read(path: Path) -> Rendered:
    """Decode a rendered file."""
    pictures, times, tags = [], [], ("", "", "", "")
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        for frame in container.decode(stream):
            pictures.append(Picture(*inspection.planes(frame)[:3]))
            times.append(frame.pts * Fraction(frame.time_base))
            tags = _tags(frame)
    return Rendered(tuple(pictures), tuple(times), levels.decoded(path), tags)


def _tags(frame: Any) -> tuple[str, str, str, str]:
    return (
        inspection.MATRICES.get(frame.colorspace, "?"),
        inspection.PRIMARIES.get(frame.color_primaries, "?"),
        inspection.TRANSFERS.get(frame.color_trc, "?"),
        inspection.RANGES.get(frame.color_range, "?"),
    )


def differences(rendered: Rendered, shown: Shown) -> list[str]:
    """Return the facts in which a rendered file is not what a player shows; none if it is."""
    return [
        *_frames(rendered, shown),
        *_numbers(rendered, shown),
        *_colours(rendered, shown),
        *_borders(rendered, shown),
        *_combs(rendered),
        *sound_faults(rendered.sound, shown.sound, len(rendered.pictures) / RATE),
        *_sync(rendered, shown),
    ]


# --- pictures -------------------------------------------------------------------------------------


def _frames(rendered: Rendered, shown: Shown) -> Iterator[str]:
    count = len(rendered.pictures)
    if not shown.frames <= count <= shown.frames + shown.slack_frames:
        yield f"frames: {count}, not {shown.frames}"
    if list(rendered.times) != [Fraction(i, RATE) for i in range(count)]:
        yield "frames: not at whole frame times"


def box_at(shown: Shown, i: int) -> Box:
    """Return where the picture lies in frame `i`."""
    return [box for at_s, box in shown.boxes if at_s <= i / RATE + EARLY_S][-1]


def number(picture: Picture, box: Box) -> int:
    """Return the number that a card shows."""
    x, y, width, height = box
    result = 0
    for bit in range(cards.BITS):
        left, right = (x + width * (bit + share) / cards.BITS for share in (0.35, 0.65))
        top, bottom = (y + height * share for share in (0.07, 0.17))
        result += int(picture.area(left, top, right, bottom).mean() > LIT) << bit
    return result


def allowed(pictures: Pictures, i: int) -> set[int]:
    """Return the numbers of the cards that a player shows at some time during frame `i`."""
    start, end = i / RATE + EARLY_S, (i + 1) / RATE - EARLY_S
    before = [number for at_s, number in pictures if at_s <= start] or [pictures[0][1]]
    return {before[-1], *(number for at_s, number in pictures if start < at_s < end)}


def _numbers(rendered: Rendered, shown: Shown) -> Iterator[str]:
    if not shown.pictures:
        return
    read = [number(p, box_at(shown, i)) for i, p in enumerate(rendered.pictures)]
    wrong = [i for i, each in enumerate(read) if each not in allowed(shown.pictures, i)]
    if wrong:
        i = wrong[0]
        yield (
            f"numbers: {len(wrong)} of {len(read)} frames show another card, first frame {i}:"
            f" {read[i]}, not {sorted(allowed(shown.pictures, i))}"
        )


def colours(picture: Picture, box: Box) -> list[NDArray[np.float64]]:
    """Return the four colours of a card."""
    x, y, width, height = box
    count = len(cards.COLOURS)
    top, bottom = y + height * 0.4, y + height * 0.6
    edges = [(x + width * (i + 0.3) / count, x + width * (i + 0.7) / count) for i in range(count)]
    return [picture.colour(left, top, right, bottom) for left, right in edges]


def _colours(rendered: Rendered, shown: Shown) -> Iterator[str]:
    """Of the first frame and of the last but one, since something may happen between them."""
    count = len(rendered.pictures)
    for i in sorted({0, max(0, count - 2)}):
        read = colours(rendered.pictures[i], box_at(shown, i))
        for place, (is_, expected) in enumerate(zip(read, shown.colours, strict=True)):
            if expected is None:
                continue
            worst = np.abs(is_ - expected).max()
            if worst > shown.tolerance:
                seen = tuple(round(float(value)) for value in is_)
                yield f"colour {place} of frame {i}: {seen}, not {expected}"
                break
    if shown.pictures:
        yield from _white(rendered, shown)


def _white(rendered: Rendered, shown: Shown) -> Iterator[str]:
    """The white of the number's lowest bit that is set in some frame."""
    for i, picture in enumerate(rendered.pictures):
        box = box_at(shown, i)
        bits = number(picture, box)
        for bit in range(cards.BITS):
            if bits >> bit & 1:
                x, y, width, height = box
                left, right = (x + width * (bit + share) / cards.BITS for share in (0.35, 0.65))
                white = picture.colour(left, y + height * 0.07, right, y + height * 0.17)
                if 255 - white.mean() > shown.white_tolerance:
                    yield f"white of frame {i}: {white.mean():.0f}, not 255"
                return


def _borders(rendered: Rendered, shown: Shown) -> Iterator[str]:
    """Outside the picture is black, and the picture reaches up to its box."""
    for start_s, box in shown.boxes:
        i = min(len(rendered.pictures) - 1, round(start_s * RATE) + 1)
        picture, (x, y, width, height) = rendered.pictures[i], box
        outside = []
        if x > 2 * EDGE:
            outside += [(0, 0, x - EDGE, SIZE[1]), (x + width + EDGE, 0, SIZE[0], SIZE[1])]
        if y > 2 * EDGE:
            outside += [(0, 0, SIZE[0], y - EDGE), (0, y + height + EDGE, SIZE[0], SIZE[1])]
        if any(picture.area(*area).mean() > 22 for area in outside):
            yield f"borders of frame {i}: not black"
        first, *_ = colours(picture, box)
        edge = picture.colour(x + EDGE, y + height * 0.4, x + EDGE + 4, y + height * 0.6)
        if np.abs(edge - first).max() > 20:
            yield f"shape of frame {i}: the picture does not reach its left edge"


def comb(picture: Picture) -> float:
    """Return how unlike neighbouring lines are where the bar moves: two fields in one picture."""
    field = picture.area(SIZE[0] * 0.52, SIZE[1] * 0.8, SIZE[0] * 0.98, SIZE[1] * 0.95)
    lines = field.astype(np.float64)
    if len(lines) < 4:
        return 0.0
    apart = np.abs(lines[1:-1] - (lines[:-2] + lines[2:]) / 2)
    alike = np.abs(lines[:-2] - lines[2:])
    return float(np.maximum(apart - alike, 0).mean())


def bar_at(picture: Picture) -> float:
    """Return where the middle of the moving bar is, in pixels of the table's output size."""
    field = picture.area(SIZE[0] / 2, SIZE[1] * 0.8, SIZE[0], SIZE[1] * 0.95).astype(np.float64)
    bright = np.clip(field.mean(axis=0) - 16, 0, None)
    return float((bright * np.arange(len(bright))).sum() / bright.sum() / picture.scale)


def _combs(rendered: Rendered) -> Iterator[str]:
    combed = [i for i, picture in enumerate(rendered.pictures) if comb(picture) > COMB]
    if combed:
        count = len(rendered.pictures)
        yield f"fields: {len(combed)} of {count} frames have combs, first frame {combed[0]}"


# --- picture and sound together ------------------------------------------------------------------


def flash_at(rendered: Rendered, shown: Shown) -> float | None:
    """Return when the flash begins, in seconds."""
    for i, picture in enumerate(rendered.pictures):
        x, y, width, height = box_at(shown, i)
        field = (x + width * 0.1, y + height * 0.83, x + width * 0.4, y + height * 0.94)
        if picture.area(*field).mean() > LIT:
            return i / RATE
    return None


def _sync(rendered: Rendered, shown: Shown) -> Iterator[str]:
    flash, beep = flash_at(rendered, shown), beep_at(rendered.sound)
    if (flash is None) != (shown.flash_s is None):
        yield f"flash: at {flash}, not {shown.flash_s}"
    elif (
        flash is not None and shown.flash_s is not None and abs(flash - shown.flash_s) > 1.1 / RATE
    ):
        yield f"flash: at {flash:.3f} s, not {shown.flash_s:.3f} s"
    if shown.beep_s is None or shown.sound is None:
        return
    if beep is None or abs(beep - shown.beep_s) > shown.sync_ms / 1000:
        yield f"beep: at {'none' if beep is None else f'{beep:.3f} s'}, not {shown.beep_s:.3f} s"
