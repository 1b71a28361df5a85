"""Fit a picture of any aspect ratio into the frame: with borders, blurred, cropped or in panes."""

from __future__ import annotations

from clipmill.ffmpeg.color_conversion import convert_colors, framed_format, scale_options
from clipmill.protocol import Framing, Profile, SourceRange
from clipmill.spec import Align, Fit, Pane

# The blurred background is computed at an eighth of the size: equally soft, for less work.
BLUR_DIVISOR = 8
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
    chain = f"{_contained(profile, source)},pad={width}:{height}:-1:-1:black{_evaluated(source)}"
    if framing.fit is Fit.COVER:
        enlarged = _cover(width, height, _scale_options(source), framing.zoom)
        chain = f"{enlarged},{_crop(width, height, framing)}"
    return [f"[{pad}]{before},{chain},{_finished(source)}[{label}]"]


def _evaluated(source: SourceRange) -> str:
    """Return an option for a pixel aspect that changes, at which ffmpeg builds no graph again.

    Filters that crop do not allow it: with these, the first aspect counts.
    """
    return ":eval=frame" if source.traits.changes_shape else ""


def _scale_options(source: SourceRange) -> str:
    return scale_options(source.color, source.width, source.height)


def _tail(source: SourceRange) -> str:
    return f"setsar=1,format={framed_format(source.color)}"


def _finished(source: SourceRange) -> str:
    return f"{_tail(source)}{convert_colors(source.color)}"


def _overlaid(source: SourceRange, x: int | str, y: int | str) -> str:
    deep = framed_format(source.color) != "yuv420p"
    return f"overlay={x}:{y}:format={'yuv420p10' if deep else 'yuv420'}"


def _over_blur(
    profile: Profile, source: SourceRange, *, pad: str, before: str, label: str
) -> list[str]:
    width, height = profile.width, profile.height
    small_width, small_height = (max(2, side // BLUR_DIVISOR // 2 * 2) for side in (width, height))
    covered = _cover(small_width, small_height, _scale_options(source))
    small = f"{covered},crop={small_width}:{small_height}"
    overlaid = _overlaid(source, "(W-w)/2", "(H-h)/2")
    return [
        f"[{pad}]{before},split[{label}far][{label}near]",
        f"[{label}far]{small},gblur=sigma=4,scale={width}:{height},{_tail(source)}[{label}back]",
        f"[{label}near]{_contained(profile, source)},{_tail(source)}[{label}front]",
        f"[{label}back][{label}front]{overlaid},{_finished(source)}[{label}]",
    ]


def _panes(
    profile: Profile, source: SourceRange, *, pad: str, before: str, label: str
) -> list[str]:
    """Crop each pane from the picture and overlay it, later panes on top, black around them."""
    panes = source.framing.panes
    names = [f"{label}p{i}" for i in range(len(panes))]
    graph = [f"[{pad}]{before},split={len(panes)}{''.join(f'[{name}c]' for name in names)}"]
    for i, (pane, name) in enumerate(zip(panes, names, strict=True)):
        x, y = _share(profile.width, pane.target.left), _share(profile.height, pane.target.top)
        end = f"{_finished(source)}[{label}]" if i + 1 == len(panes) else f"null[{label}on{i + 1}]"
        cropped = f"[{name}c]{_pane(profile, source, pane)},{_tail(source)}"
        if i == 0:
            graph.append(f"{cropped},pad={profile.width}:{profile.height}:{x}:{y}:black,{end}")
            continue
        graph.append(f"{cropped}[{name}]")
        graph.append(f"[{label}on{i}][{name}]{_overlaid(source, x, y)},{end}")
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
    return f"{cropped},{_cover(width, height, _scale_options(source))},crop={width}:{height}"


def _share(side: int, percent: int) -> int:
    """Return a percentage of a side in even pixels."""
    return round(side * percent / 200) * 2


def _contained(profile: Profile, source: SourceRange) -> str:
    """Scale to the largest size within the frame, times the zoom; crop what is outside."""
    width, height, framing = profile.width, profile.height, source.framing
    scaled = _contain(width, height, _scale_options(source), framing.zoom)
    if framing.zoom == 100:
        return f"{scaled}{_evaluated(source)}"
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
