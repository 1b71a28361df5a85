"""Build the arguments with which ffmpeg writes one frame of a file as a JPEG."""

from __future__ import annotations

from clipmill.ffmpeg.color_conversion import convert_colors, framed_format, scale_options
from clipmill.ffmpeg.segment_args import GLOBAL, SEEKABLE, safe_input_args, video_specifier
from clipmill.protocol import MediaFacts, SourceColor

# JPEG has the matrix of BT.601 and full range.
_JPEG = "scale=in_color_matrix=bt709:in_range=tv:out_color_matrix=smpte170m:out_range=pc"


def thumbnail_args(
    facts: MediaFacts, color: SourceColor | None, path: str, out: str, *, at_s: float, width: int
) -> tuple[str, ...]:
    """Return arguments that write one frame of a file as a JPEG.

    Args:
        facts: Facts of the file.
        color: Colours that the picture is converted from.
        path: The file.
        out: Path of the JPEG.
        at_s: Position of the frame in seconds.
        width: Width of the JPEG in pixels.
    """
    position_s = at_s + facts.start_us / 1_000_000
    seek = ("-ss", f"{position_s:.3f}") if facts.format in SEEKABLE else ()
    source = (*safe_input_args(facts.format), *seek, "-i", f"file:{path}")
    colors = scale_options(color, facts.width, facts.height)
    scaled = f"scale={width}:-2:{colors},format={framed_format(color)}{convert_colors(color)}"
    frame = ("-frames:v", "1", "-vf", f"{scaled},{_JPEG},format=yuvj420p", "-q:v", "4")
    stream = f"0:{video_specifier(facts.video_stream)}"
    return (*GLOBAL, *source, "-map", stream, *frame, "-f", "mjpeg", out)
