"""Names of the colours that a frame declares, as ffmpeg names the codes of ITU-T H.273."""

from __future__ import annotations

from av.video.frame import VideoFrame

MATRICES = {
    0: "gbr",
    1: "bt709",
    4: "fcc",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "ycgco",
    9: "bt2020nc",
    10: "bt2020c",
    14: "ictcp",
}
PRIMARIES = {
    1: "bt709",
    4: "bt470m",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "film",
    9: "bt2020",
    10: "smpte428",
    11: "smpte431",
    12: "smpte432",
    22: "ebu3213",
}
TRANSFERS = {
    1: "bt709",
    4: "gamma22",
    5: "gamma28",
    6: "smpte170m",
    7: "smpte240m",
    8: "linear",
    11: "iec61966-2-4",
    13: "iec61966-2-1",
    14: "bt2020-10",
    15: "bt2020-12",
    16: "smpte2084",
    18: "arib-std-b67",
}


def color_tags(frame: VideoFrame) -> dict[str, str | None]:
    """Return what `ColorTags` describes, in its names; None where nothing is declared."""
    return {
        "matrix": MATRICES.get(frame.colorspace),
        "primaries": PRIMARIES.get(frame.color_primaries),
        "transfer": TRANSFERS.get(frame.color_trc),
    }
