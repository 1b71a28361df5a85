"""The test card and the test tone: raw pictures and samples with everything that is measured.

The card from top to bottom: its number in eight black and white cells; four colours; a field that
flashes white, and beside it a bar that moves. Whoever shows it correctly shows this card upright.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from inputs.colorimetry import BT709, ColourSpace, encoded

BITS = 8
# Within BT.601's gamut, so that every colour space can hold them.
GREEN, RED, BLUE, GREY = (80, 200, 80), (200, 80, 80), (80, 80, 200), (128, 128, 128)
COLOURS = (GREEN, RED, BLUE, GREY)
BLACK, WHITE = (0, 0, 0), (255, 255, 255)
# Lower edges of the three bands, as shares of the height.
NUMBER_BAND, COLOUR_BAND = 0.25, 0.75
FLASH_S = 0.1
BAR_SPEED = 0.75  # frame widths a second
BAR_WIDTH = 0.05
HIGHLIGHT = 1.9  # the bar's code value in HDR spaces: about 950 nits

Pictures = NDArray[np.uint8] | NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class Card:
    """A run of test cards as raw RGB pictures.

    Attributes:
        seconds: Length; the number of pictures is rounded.
        counts: Numbers a second; None numbers each picture.
        first: Number of the first picture.
        flash_s: When the field flashes for FLASH_S; None never.
        turn: Degrees (a multiple of 90) by which the pixels are turned counterclockwise.
        mirror: "h" or "v" when the pixels are mirrored.
        space: The colour space of the code values.
        alphas: Opacity of the four colours; other parts are opaque. None: no alpha channel.
    """

    width: int = 320
    height: int = 180
    rate: str = "30"
    seconds: float = 2.0
    counts: int | None = None
    first: int = 0
    flash_s: float | None = 1.0
    turn: int = 0
    mirror: str = ""
    space: ColourSpace = BT709
    alphas: tuple[float, ...] | None = None

    @property
    def pictures(self) -> int:
        """Number of pictures."""
        return max(1, round(self.seconds * Fraction(self.rate)))

    @property
    def pixel_format(self) -> str:
        """ffmpeg's name of the raw pixels."""
        if self.alphas is not None:
            return "rgba" if self.space == BT709 else "rgba64le"
        return "rgb24" if self.space == BT709 else "rgb48le"

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the raw pictures, after turning."""
        return (self.height, self.width) if self.turn % 180 else (self.width, self.height)


def draw(card: Card) -> Pictures:
    """Return all pictures of a card: number x height x width x channels."""
    still = _colours(card)
    pictures = np.stack([_picture(card, still, i) for i in range(card.pictures)])
    if card.mirror:
        pictures = np.flip(pictures, axis=2 if card.mirror == "h" else 1)
    return np.ascontiguousarray(np.rot90(pictures, card.turn // 90, axes=(1, 2)))


def _codes(card: Card, rgb: tuple[int, ...], scale: float = 1.0) -> NDArray[np.float64]:
    """The raw value of a colour, in the card's depth."""
    shown = np.array(rgb, np.float64) / 255 * scale
    return encoded(shown, card.space) * (255 if card.space == BT709 else 65535)


def _colours(card: Card) -> Pictures:
    """The part of a card that never changes."""
    channels = 3 if card.alphas is None else 4
    kind = np.uint8 if card.space == BT709 else np.uint16
    opaque = np.iinfo(kind).max
    picture = np.zeros((card.height, card.width, channels), kind)
    if card.alphas is not None:
        picture[..., 3] = opaque
    top, bottom = round(card.height * NUMBER_BAND), round(card.height * COLOUR_BAND)
    edges = [round(card.width * i / len(COLOURS)) for i in range(len(COLOURS) + 1)]
    for i, colour in enumerate(COLOURS):
        place = picture[top:bottom, edges[i] : edges[i + 1]]
        place[..., :3] = np.round(_codes(card, colour))
        if card.alphas is not None:
            place[..., 3] = round(opaque * card.alphas[i])
    return picture


def _picture(card: Card, still: Pictures, i: int) -> Pictures:
    picture = still.copy()
    time_s = float(i / Fraction(card.rate))
    number = card.first + (i if card.counts is None else int(time_s * card.counts + 1e-6))
    white = np.round(_codes(card, WHITE))
    top, bottom = round(card.height * NUMBER_BAND), round(card.height * COLOUR_BAND)
    for bit in range(BITS):
        if number >> bit & 1:
            left, right = (round(card.width * at / BITS) for at in (bit, bit + 1))
            picture[:top, left:right, :3] = white
    if card.flash_s is not None and card.flash_s - 1e-6 <= time_s < card.flash_s + FLASH_S - 1e-6:
        picture[bottom:, : card.width // 2, :3] = white
    _bar(card, picture[bottom:, card.width // 2 :], time_s)
    return picture


def _bar(card: Card, field: Pictures, time_s: float) -> None:
    wide = max(2, round(card.width * BAR_WIDTH))
    room = field.shape[1] - wide
    left = round(time_s * BAR_SPEED * card.width) % room
    highlight = HIGHLIGHT if card.space.transfer in ("pq", "hlg") else 1.0
    field[:, left : left + wide, :3] = np.round(_codes(card, WHITE, highlight))


# --- sound ----------------------------------------------------------------------------------------

LEFT_HZ, RIGHT_HZ, CENTRE_HZ, BACK_LEFT_HZ, BACK_RIGHT_HZ = 400, 600, 800, 1000, 1200
BEEP_HZ = 1500
BEEP_S = 0.1
TONE, BEEP = 0.1, 0.3
# Frequency of each channel by layout, in ffmpeg's order; 0 is a silent channel.
LAYOUTS: dict[str, tuple[int, ...]] = {
    "mono": (LEFT_HZ,),
    "stereo": (LEFT_HZ, RIGHT_HZ),
    "5.1": (LEFT_HZ, RIGHT_HZ, CENTRE_HZ, 0, BACK_LEFT_HZ, BACK_RIGHT_HZ),
    "7.1": (LEFT_HZ, RIGHT_HZ, CENTRE_HZ, 0, BACK_LEFT_HZ, BACK_RIGHT_HZ, 0, 0),
}


@dataclass(frozen=True, slots=True)
class Tone:
    """A steady tone in each channel and a beep in the front ones.

    Attributes:
        beep_s: When the beep begins, which lasts BEEP_S; None never.
        hertz: Frequencies of the channels, where they are not those of LAYOUTS.
    """

    seconds: float = 2.0
    rate: int = 48_000
    layout: str = "stereo"
    beep_s: float | None = 1.0
    hertz: tuple[int, ...] | None = None


def sound(tone: Tone) -> NDArray[np.float32]:
    """Return the samples of a tone: samples x channels."""
    time_s = np.arange(round(tone.seconds * tone.rate)) / tone.rate
    hertz = tone.hertz or LAYOUTS[tone.layout]
    channels = [TONE * np.sin(2 * np.pi * each * time_s) for each in hertz]
    if tone.beep_s is not None:
        beeping = (time_s >= tone.beep_s) & (time_s < tone.beep_s + BEEP_S)
        beep = np.where(beeping, BEEP * np.sin(2 * np.pi * BEEP_HZ * (time_s - tone.beep_s)), 0)
        for i in range(min(2, len(channels))):
            channels[i] = channels[i] + beep
    return np.stack(channels, axis=1).astype(np.float32)
