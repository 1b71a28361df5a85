"""Fit a picture of any aspect ratio into the frame: with borders, blurred, cropped or in panes."""

from __future__ import annotations

from clipmill.protocol import Framing, Profile, SourceRange
from clipmill.spec import Align, Fit, Pane

# The blurred background is computed at an eighth of the size: equally soft, for less work.
BLUR_DIVISOR = 8
# For facts of earlier releases, which do not say what the file declares: pictures with a side of
# at least this length count as BT.709.
HD_SIDE = 1280
_TAIL = "setsar=1,format=yuv420p"
_CROP_X = {Align.LEFT: "0", Align.CENTER: "(iw-ow)/2", Align.RIGHT: "iw-ow"}


def framing_chains(
    profile: Profile, source: SourceRange, *, pad: str, before: str, label: str
) -> list[str]:
    """Return the filter chains that bring a source's picture to the size of the output.

    Args:
        profile: Encoding of the output, with its size.
        source: The source range, with its framing.
        pad: Input pad of the graph that delivers the picture.
        before: Filters to apply before framing.
        label: Label of the output pad; also the prefix of all inner labels.
    """
    width, height, framing = profile.width, profile.height, source.framing
    if framing.panes:
        return _panes(profile, source, pad=pad, before=before, label=label)
    if framing.fit is Fit.CONTAIN_BLUR:
        return _over_blur(profile, source, pad=pad, before=before, label=label)
    chain = f"{_contained(profile, source)},pad={width}:{height}:-1:-1:black"
    if framing.fit is Fit.COVER:
        enlarged = _cover(width, height, _colour(source), framing.zoom)
        chain = f"{enlarged},{_crop(width, height, framing)}"
    return [f"[{pad}]{before},{chain},{_TAIL}{_convert_primaries(source)}[{label}]"]


def _colour(source: SourceRange) -> str:
    """Return options of `scale` that convert matrix and range; the range is that of the frames."""
    is_hd = max(source.width, source.height) >= HD_SIDE
    matrix = source.color.matrix if source.color else "bt709" if is_hd else "auto"
    return f"in_color_matrix={matrix}:out_color_matrix=bt709:out_range=tv"


def _convert_primaries(source: SourceRange) -> str:
    """Return a filter that converts the primaries of a framed picture, if they are not BT.709's.

    `scale` could do it, but takes five times as long.
    """
    if source.color is None or source.color.primaries == "bt709":
        return ""
    # jedec-p22 is zscale's name for the primaries of EBU Tech 3213.
    primaries = source.color.primaries.replace("ebu3213", "jedec-p22")
    target = "min=bt709:m=bt709:tin=bt709:t=bt709:rin=limited:r=limited"
    return f",zscale=pin={primaries}:p=bt709:{target}"


def _over_blur(
    profile: Profile, source: SourceRange, *, pad: str, before: str, label: str
) -> list[str]:
    width, height = profile.width, profile.height
    small_width, small_height = (max(2, side // BLUR_DIVISOR // 2 * 2) for side in (width, height))
    small = (
        f"{_cover(small_width, small_height, _colour(source))},crop={small_width}:{small_height}"
    )
    return [
        f"[{pad}]{before},split[{label}far][{label}near]",
        f"[{label}far]{small},gblur=sigma=4,scale={width}:{height},{_TAIL}[{label}back]",
        f"[{label}near]{_contained(profile, source)},{_TAIL}[{label}front]",
        f"[{label}back][{label}front]overlay=(W-w)/2:(H-h)/2,{_TAIL}"
        f"{_convert_primaries(source)}[{label}]",
    ]


def _panes(
    profile: Profile, source: SourceRange, *, pad: str, before: str, label: str
) -> list[str]:
    """Crop each pane from the picture and overlay it on black, later panes on top."""
    panes = source.framing.panes
    names = [f"{label}p{i}" for i in range(len(panes))]
    size = f"s={profile.width}x{profile.height}:r={profile.rate}"
    graph = [
        f"[{pad}]{before},split={len(panes)}{''.join(f'[{name}c]' for name in names)}",
        f"color=c=black:{size},trim=end_frame={source.frames},{_TAIL}[{label}on0]",
    ]
    for i, (pane, name) in enumerate(zip(panes, names, strict=True)):
        x, y = _share(profile.width, pane.target.left), _share(profile.height, pane.target.top)
        is_last = i + 1 == len(panes)
        end = f",{_TAIL}{_convert_primaries(source)}[{label}]" if is_last else f"[{label}on{i + 1}]"
        graph.append(f"[{name}c]{_pane(profile, source, pane)},{_TAIL}[{name}]")
        graph.append(f"[{label}on{i}][{name}]overlay={x}:{y}{end}")
    return graph


def _pane(profile: Profile, source: SourceRange, pane: Pane) -> str:
    part, target = pane.source, pane.target
    cropped = (
        f"crop=w='max(2,iw*{part.width}/100)':h='max(2,ih*{part.height}/100)'"
        f":x='iw*{part.left}/100':y='ih*{part.top}/100'"
    )
    # Differences of edges, so that neighbouring panes meet without a gap.
    right, bottom = target.left + target.width, target.top + target.height
    width = max(2, _share(profile.width, right) - _share(profile.width, target.left))
    height = max(2, _share(profile.height, bottom) - _share(profile.height, target.top))
    return f"{cropped},{_cover(width, height, _colour(source))},crop={width}:{height}"


def _share(side: int, percent: int) -> int:
    """Return a percentage of a side in even pixels."""
    return round(side * percent / 200) * 2


def _contained(profile: Profile, source: SourceRange) -> str:
    """Scale to the largest size within the frame, times the zoom; crop what is outside."""
    width, height, framing = profile.width, profile.height, source.framing
    scaled = _contain(width, height, _colour(source), framing.zoom)
    if framing.zoom == 100:
        return scaled
    cropped = _crop(f"'min(iw,{width})'", f"'min(ih,{height})'", framing)
    return f"{scaled},{cropped}"


def _crop(width: int | str, height: int | str, framing: Framing) -> str:
    x, y = _CROP_X[framing.align], "(ih-oh)/2"
    if framing.focus:
        x = f"'clip(iw*{framing.focus.left}/100-ow/2,0,iw-ow)'"
        y = f"'clip(ih*{framing.focus.top}/100-oh/2,0,ih-oh)'"
    return f"crop=w={width}:h={height}:x={x}:y={y}"


def _contain(width: int, height: int, colour: str, zoom: int) -> str:
    """Scale to the largest size within the frame; `dar` accounts for non-square pixels."""
    scaled_width = f"'max(2,round(min({width},{height}*dar)*{zoom}/200)*2)'"
    scaled_height = f"'max(2,round(min({height},{width}/dar)*{zoom}/200)*2)'"
    return f"scale=w={scaled_width}:h={scaled_height}:{colour}"


def _cover(width: int, height: int, colour: str, zoom: int = 100) -> str:
    """Scale to the smallest size that leaves no border, times the zoom."""
    scaled_width = f"'round(max({width},{height}*dar)*{zoom}/200)*2'"
    scaled_height = f"'round(max({height},{width}/dar)*{zoom}/200)*2'"
    return f"scale=w={scaled_width}:h={scaled_height}:{colour}"
