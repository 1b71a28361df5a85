"""A picture of any shape into the frame: inside with borders, inside over a blur, or filling."""

from __future__ import annotations

from clipmill.contract import Cut, Fit, Profile

BLUR_PARTS = 8
"""The blurred background is made at an eighth of the size: as soft, at a fraction of the work."""
HD_SIDE = 1280
"""From this side on a picture is BT.709, as in players; ffmpeg takes an untagged one as BT.601."""
_TAIL = "setsar=1,format=yuv420p"


def fitted(fit: Fit, form: Profile, cut: Cut, *, source: str, before: str, label: str) -> list[str]:
    """Filter chains from input `source` through `before` to `label`, in the output's size."""
    width, height = form.width, form.height
    if fit is Fit.CONTAIN_BLUR:
        return _over_blur(form, _colour(cut), source=source, before=before, label=label)
    chain = f"{_contain(width, height, _colour(cut))},pad={width}:{height}:-1:-1:black"
    if fit is Fit.COVER:
        chain = f"{_cover(width, height, _colour(cut))},crop={width}:{height}"
    return [f"[{source}]{before},{chain},{_TAIL}[{label}]"]


def _colour(cut: Cut) -> str:
    known = "in_color_matrix=bt709:" if max(cut.width, cut.height) >= HD_SIDE else ""
    return f"{known}out_color_matrix=bt709:out_range=tv"


def _over_blur(form: Profile, colour: str, *, source: str, before: str, label: str) -> list[str]:
    width, height = form.width, form.height
    low, flat = [max(2, side // BLUR_PARTS // 2 * 2) for side in (width, height)]
    back = f"{_cover(low, flat, colour)},crop={low}:{flat},gblur=sigma=4"
    return [
        f"[{source}]{before},split[{label}far][{label}near]",
        f"[{label}far]{back},scale={width}:{height},{_TAIL}[{label}back]",
        f"[{label}near]{_contain(width, height, colour)},{_TAIL}[{label}front]",
        f"[{label}back][{label}front]overlay=(W-w)/2:(H-h)/2,{_TAIL}[{label}]",
    ]


def _contain(width: int, height: int, colour: str) -> str:
    """As large as fits inside; `dar` knows of pixels that are not square."""
    wide = f"'max(2,round(min({width},{height}*dar)/2)*2)'"
    high = f"'max(2,round(min({height},{width}/dar)/2)*2)'"
    return f"scale=w={wide}:h={high}:{colour}"


def _cover(width: int, height: int, colour: str) -> str:
    """As small as leaves no border."""
    wide = f"'round(max({width},{height}*dar)/2)*2'"
    high = f"'round(max({height},{width}/dar)/2)*2'"
    return f"scale=w={wide}:h={high}:{colour}"
