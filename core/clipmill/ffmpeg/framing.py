"""A picture of any shape into the frame: inside with borders, over a blur, filling, or in panes."""

from __future__ import annotations

from clipmill.protocol import Framing, Profile, SourceRange
from clipmill.spec import Align, Fit, Pane

BLUR_PARTS = 8
"""The blurred background is made at an eighth of the size: as soft, at a fraction of the work."""
HD_SIDE = 1280
"""From this side on a picture is BT.709, as in players; ffmpeg takes an untagged one as BT.601."""
_TAIL = "setsar=1,format=yuv420p"
_KEEP = {Align.LEFT: "0", Align.CENTER: "(iw-ow)/2", Align.RIGHT: "iw-ow"}


def framing_chains(
    form: Profile, cut: SourceRange, *, source: str, before: str, label: str
) -> list[str]:
    """Filter chains from input `source` through `before` to `label`, in the output's size."""
    width, height, framing = form.width, form.height, cut.framing
    if framing.panes:
        return _panes(form, cut, source=source, before=before, label=label)
    if framing.fit is Fit.CONTAIN_BLUR:
        return _over_blur(form, cut, source=source, before=before, label=label)
    chain = f"{_contained(form, cut)},pad={width}:{height}:-1:-1:black"
    if framing.fit is Fit.COVER:
        larger = _cover(width, height, _colour(cut), framing.zoom)
        chain = f"{larger},{_crop(width, height, framing)}"
    return [f"[{source}]{before},{chain},{_TAIL}[{label}]"]


def _colour(cut: SourceRange) -> str:
    known = "in_color_matrix=bt709:" if max(cut.width, cut.height) >= HD_SIDE else ""
    return f"{known}out_color_matrix=bt709:out_range=tv"


def _over_blur(
    form: Profile, cut: SourceRange, *, source: str, before: str, label: str
) -> list[str]:
    width, height = form.width, form.height
    low, flat = [max(2, side // BLUR_PARTS // 2 * 2) for side in (width, height)]
    back = f"{_cover(low, flat, _colour(cut))},crop={low}:{flat},gblur=sigma=4"
    return [
        f"[{source}]{before},split[{label}far][{label}near]",
        f"[{label}far]{back},scale={width}:{height},{_TAIL}[{label}back]",
        f"[{label}near]{_contained(form, cut)},{_TAIL}[{label}front]",
        f"[{label}back][{label}front]overlay=(W-w)/2:(H-h)/2,{_TAIL}[{label}]",
    ]


def _panes(form: Profile, cut: SourceRange, *, source: str, before: str, label: str) -> list[str]:
    """Each pane cut out of the picture and laid on black, the later ones on top."""
    panes = cut.framing.panes
    names = [f"{label}p{i}" for i in range(len(panes))]
    size = f"s={form.width}x{form.height}:r={form.rate}"
    graph = [
        f"[{source}]{before},split={len(panes)}{''.join(f'[{name}c]' for name in names)}",
        f"color=c=black:{size},trim=end_frame={cut.frames},{_TAIL}[{label}on0]",
    ]
    for i, (pane, name) in enumerate(zip(panes, names, strict=True)):
        x, y = _share(form.width, pane.target.left), _share(form.height, pane.target.top)
        to = f"[{label}on{i + 1}]" if i + 1 < len(panes) else f",{_TAIL}[{label}]"
        graph.append(f"[{name}c]{_pane(form, cut, pane)},{_TAIL}[{name}]")
        graph.append(f"[{label}on{i}][{name}]overlay={x}:{y}{to}")
    return graph


def _pane(form: Profile, cut: SourceRange, pane: Pane) -> str:
    part, place = pane.source, pane.target
    taken = (
        f"crop=w='max(2,iw*{part.width}/100)':h='max(2,ih*{part.height}/100)'"
        f":x='iw*{part.left}/100':y='ih*{part.top}/100'"
    )
    width = _share(form.width, place.left + place.width) - _share(form.width, place.left)
    height = _share(form.height, place.top + place.height) - _share(form.height, place.top)
    width, height = max(2, width), max(2, height)
    return f"{taken},{_cover(width, height, _colour(cut))},crop={width}:{height}"


def _share(side: int, percent: int) -> int:
    """A part of a side in even pixels; neighbours meet without a gap."""
    return round(side * percent / 200) * 2


def _contained(form: Profile, cut: SourceRange) -> str:
    """As large as fits inside, enlarged by the zoom, of which the frame shows a part."""
    width, height, framing = form.width, form.height, cut.framing
    inside = _contain(width, height, _colour(cut), framing.zoom)
    if framing.zoom == 100:
        return inside
    part = _crop(f"'min(iw,{width})'", f"'min(ih,{height})'", framing)
    return f"{inside},{part}"


def _crop(width: int | str, height: int | str, framing: Framing) -> str:
    return f"crop=w={width}:h={height}:x={_KEEP[framing.align]}:y=(ih-oh)/2"


def _contain(width: int, height: int, colour: str, zoom: int) -> str:
    """As large as fits inside; `dar` knows of pixels that are not square."""
    wide = f"'max(2,round(min({width},{height}*dar)*{zoom}/200)*2)'"
    high = f"'max(2,round(min({height},{width}/dar)*{zoom}/200)*2)'"
    return f"scale=w={wide}:h={high}:{colour}"


def _cover(width: int, height: int, colour: str, zoom: int = 100) -> str:
    """As small as leaves no border, then enlarged by the zoom."""
    wide = f"'round(max({width},{height}*dar)*{zoom}/200)*2'"
    high = f"'round(max({height},{width}/dar)*{zoom}/200)*2'"
    return f"scale=w={wide}:h={high}:{colour}"
