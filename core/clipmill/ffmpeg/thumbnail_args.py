"""Build the arguments with which ffmpeg writes one frame of a file as a JPEG."""

from __future__ import annotations

from clipmill.ffmpeg.color_conversion import convert_colors, framed_format, scale_options
from clipmill.ffmpeg.segment_args import GLOBAL
from clipmill.ffmpeg.segment_inputs import SEEKABLE, safe_input_args, video_specifier
from clipmill.ffmpeg.source_pictures import decoder_args, opaque_pixels, whole_frames
from clipmill.protocol import MediaFacts, PictureTraits, SourceColor

# JPEG has the matrix of BT.601 and full range.
_JPEG = "scale=in_color_matrix=bt709:in_range=tv:out_color_matrix=smpte170m:out_range=pc"


def thumbnail_args(
    facts: MediaFacts,
    path: str,
    *,
    color: SourceColor | None,
    traits: PictureTraits,
    at_s: float,
    width: int,
) -> tuple[str, ...]:
    """Return arguments that write one frame of a file as a JPEG, but for the JPEG's path.

    Args:
        facts: Facts of the file.
        path: The file.
        color: Colours that the picture is converted from.
        traits: How the picture is read.
        at_s: Position of the frame in seconds.
        width: Width of the JPEG in pixels.
    """
    position_s = at_s + facts.start_us / 1_000_000
    seek = ("-ss", f"{position_s:.3f}") if facts.format in SEEKABLE else ()
    specifier = video_specifier(facts.video_stream)
    decoder = decoder_args(traits, specifier)
    source = (*safe_input_args(facts.format), *decoder, *seek, "-i", f"file:{path}")
    colors = scale_options(color, facts.width, facts.height)
    scaled = f"scale={width}:-2:{colors},format={framed_format(color)}{convert_colors(color)}"
    filters = (*whole_frames(traits), *opaque_pixels(traits), scaled, _JPEG, "format=yuvj420p")
    frame = ("-map", f"0:{specifier}", "-frames:v", "1", "-vf", ",".join(filters), "-q:v", "4")
    return (*GLOBAL, *source, *frame, "-f", "mjpeg")
