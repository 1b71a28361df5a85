"""Colour spaces by their published formulas, independent of what renders: numpy only.

A card is defined by the BT.709 colours that a player shows. `encoded` gives the code values
that a source in another colour space holds, so that showing it correctly gives the card again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
REFERENCE_WHITE_NITS = 203.0
HLG_PEAK_NITS = 1000.0
HLG_GAMMA = 1.2
# Chromaticities x, y of red, green, blue; all with the white point D65.
PRIMARIES = {
    "bt709": ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060)),
    "smpte170m": ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    "bt470bg": ((0.640, 0.330), (0.290, 0.600), (0.150, 0.060)),
    "bt2020": ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    "smpte432": ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
D65 = (0.3127, 0.3290)
# Weights of red and blue in luma.
LUMA = {
    "bt709": (0.2126, 0.0722),
    "smpte170m": (0.299, 0.114),
    "bt470bg": (0.299, 0.114),
    "bt2020nc": (0.2627, 0.0593),
}


@dataclass(frozen=True, slots=True)
class ColourSpace:
    """The space that a source's RGB code values are in. `transfer`: sdr, srgb, pq or hlg."""

    primaries: str = "bt709"
    transfer: str = "sdr"


BT709 = ColourSpace()


def encoded(rgb: Array, space: ColourSpace) -> Array:
    """Return the code values (0 to 1) in a space of BT.709 code values (0 to 1) as shown.

    Args:
        rgb: Any shape whose last axis is red, green and blue. 1.0 is reference white; values
            above it are highlights in HDR spaces.
        space: The source's space.
    """
    if space == BT709:
        return rgb
    light = np.power(rgb, 2.4)
    light = np.clip(light @ _from_bt709(space.primaries).T, 0.0, None)
    return _TRANSFER[space.transfer](light)


def _sdr(light: Array) -> Array:
    return np.power(light, 1 / 2.4)


def _srgb(light: Array) -> Array:
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.power(light, 1 / 2.4) - 0.055)


def _pq(light: Array) -> Array:
    """SMPTE ST 2084: 1.0 is 10000 nits."""
    powered = np.power(light * REFERENCE_WHITE_NITS / 10_000, 0.1593017578125)
    return np.power((0.8359375 + 18.8515625 * powered) / (1 + 18.6875 * powered), 78.84375)


def _hlg(light: Array) -> Array:
    """ARIB STD-B67 for a display of 1000 nits: inverse OOTF, then OETF."""
    display = light * REFERENCE_WHITE_NITS / HLG_PEAK_NITS
    luminance = display @ np.array([0.2627, 0.6780, 0.0593])
    factor = np.power(np.maximum(luminance, 1e-9), 1 / HLG_GAMMA - 1)
    scene = np.clip(display * factor[..., None], 0.0, 1.0)
    logarithm = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), logarithm)


_TRANSFER = {"sdr": _sdr, "srgb": _srgb, "pq": _pq, "hlg": _hlg}


def _to_xyz(primaries: str) -> Array:
    columns = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in PRIMARIES[primaries]]).T
    x, y = D65
    white = np.array([x / y, 1.0, (1 - x - y) / y])
    return columns * np.linalg.solve(columns, white)


def _from_bt709(primaries: str) -> Array:
    matrix: Array = np.linalg.solve(_to_xyz(primaries), _to_xyz("bt709"))
    return matrix


def decoded(yuv: Array, *, matrix: str, full_range: bool, bits: int = 8) -> Array:
    """Return RGB code values (0 to 1) of Y, U and V (last axis) of one matrix and range."""
    if matrix == "gbr":
        green, blue, red = np.moveaxis(yuv / (2**bits - 1), -1, 0)
        return np.stack([red, green, blue], axis=-1)
    red_weight, blue_weight = LUMA[matrix]
    unit = 2.0 ** (bits - 8)
    if full_range:
        luma = yuv[..., 0] / (2**bits - 1)
        blue_difference, red_difference = (
            (yuv[..., i] - 128 * unit) / (2**bits - 1) for i in (1, 2)
        )
    else:
        luma = (yuv[..., 0] - 16 * unit) / (219 * unit)
        blue_difference, red_difference = (
            (yuv[..., i] - 128 * unit) / (224 * unit) for i in (1, 2)
        )
    red = luma + 2 * (1 - red_weight) * red_difference
    blue = luma + 2 * (1 - blue_weight) * blue_difference
    green = (luma - red_weight * red - blue_weight * blue) / (1 - red_weight - blue_weight)
    return np.stack([red, green, blue], axis=-1)
