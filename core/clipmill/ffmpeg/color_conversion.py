"""Convert a picture's colours to BT.709 in limited range; tone-map HDR to SDR."""

from __future__ import annotations

from clipmill.protocol import SourceColor

# For facts of earlier releases, which do not say what the file declares: pictures with a side of
# at least this length count as BT.709.
HD_SIDE = 1280
# Reference white of ITU-R BT.2408 in nits. It becomes white; highlights above it keep their hue.
REFERENCE_WHITE = 203
# System gamma of HLG on a display of 1000 nits, and BT.2020's shares of luminance.
HLG_GAMMA = 1.2
LUMINANCE = {"r": 0.2627, "g": 0.6780, "b": 0.0593}
_BT709 = "p=bt709:m=bt709:t=bt709:r=limited"


def scale_options(color: SourceColor | None, width: int, height: int) -> str:
    """Return options of `scale` that convert matrix and range; the range is that of the frames.

    HDR keeps its matrix until it is tone-mapped, after scaling, where there are fewer pixels.

    Args:
        color: Colours that the picture is converted from.
        width: Width of the picture as shown.
        height: Height of the picture as shown.
    """
    is_hd = max(width, height) >= HD_SIDE
    matrix = color.matrix if color else "bt709" if is_hd else "auto"
    target = matrix if color and color.is_hdr else "bt709"
    return f"in_color_matrix={matrix}:out_color_matrix={target}:out_range=tv"


def framed_format(color: SourceColor | None) -> str:
    """Return the pixel format of framed pictures before `convert_colors`."""
    return "yuv420p10le" if color and color.is_hdr else "yuv420p"


def convert_colors(color: SourceColor | None) -> str:
    """Return filters, after a comma, that convert a framed picture; empty if it is BT.709.

    `scale` could convert primaries, but takes five times as long.
    """
    if color is None or (color.primaries == "bt709" and not color.is_hdr):
        return ""
    if color.is_hdr:
        return f",{_tone_mapped(color)}"
    # jedec-p22 is zscale's name for the primaries of EBU Tech 3213.
    primaries = color.primaries.replace("ebu3213", "jedec-p22")
    return f",zscale=pin={primaries}:min=bt709:tin=bt709:rin=limited:{_BT709}"


def _display_of_hlg(color: SourceColor) -> str:
    """Return a filter that takes back the saturation that zscale adds to HLG.

    It raises each channel to the power of HLG's system gamma, instead of the luminance only. The
    difference in saturation is this gamma, to first order.
    """
    if color.transfer != "arib-std-b67":
        return ""
    kept = 1 / HLG_GAMMA
    rows = (
        ":".join(
            f"{row}{column}={(1 - kept) * weight + kept * (row == column):.5f}"
            for column, weight in LUMINANCE.items()
        )
        for row in LUMINANCE
    )
    return f",colorchannelmixer={':'.join(rows)}"


def _tone_mapped(color: SourceColor) -> str:
    # As properties of the frames: zscale leaves undeclared what its options do not name.
    declared = f"colorspace={color.matrix}:color_primaries={color.primaries}"
    return (
        f"setparams={declared}:color_trc={color.transfer}:range=tv"
        f",zscale=t=linear:npl={REFERENCE_WHITE},format=gbrpf32le"
        f"{_display_of_hlg(color)},zscale=p=bt709,tonemap=clip:desat=0,zscale={_BT709},format=yuv420p"
    )
