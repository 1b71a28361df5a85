"""Turn the pictures of a source into whole, opaque frames of one shape, on the output's grid."""

from __future__ import annotations

from clipmill.ffmpeg.framing import framing_chains
from clipmill.protocol import PictureTraits, Profile, SourceRange

# A frame for each field: the grid takes those that it has room for.
_DEINTERLACE = "bwdif=mode=send_field:parity=auto:deint=interlaced"
# Composes over black.
_OPAQUE = "premultiply=inplace=1"
CLOCK = 90_000
# Pictures after the range that are read before reading stops, in seconds.
MARGIN_S = 1


def whole_frames(traits: PictureTraits) -> tuple[str, ...]:
    """Return the filters that make whole frames of fields."""
    return (_DEINTERLACE,) if traits.interlaced else ()


def opaque_pixels(traits: PictureTraits) -> tuple[str, ...]:
    """Return the filters that compose transparent pixels over black."""
    return (_OPAQUE,) if traits.has_alpha else ()


def decoder_args(traits: PictureTraits, specifier: str) -> tuple[str, ...]:
    """Return the input options that choose the decoder of a video stream."""
    return (f"-c:{specifier}", traits.decoder) if traits.decoder else ()


def picture_chains(
    profile: Profile, source: SourceRange, *, pad: str, seek: int, label: str
) -> list[str]:
    """Return the filter chains from a stream of one shape to the frames of a range.

    Args:
        profile: Encoding of the output, with its size and rate.
        source: The source range.
        pad: Input pad of the graph that delivers the stream.
        seek: Position of the input in seconds.
        label: Label of the output pad; also the prefix of all inner labels.
    """
    traits = source.traits
    on_grid = grid_filters(source, profile.rate, seek)
    before = ",".join((*whole_frames(traits), on_grid, *opaque_pixels(traits)))
    return framing_chains(profile, source, pad=pad, before=before, label=label)


def fitted_picture_args(
    profile: Profile, source: SourceRange, *, pad: str, seek: int, conversion: int
) -> tuple[str, ...]:
    """Return arguments that fit pictures which change their shape, as `dec:conversion`.

    A graph of its own is built again at each change; in the graph of the segment, that would
    begin the range again. Its pictures pass through an encoder and a decoder of raw pixels.
    """
    traits, label = source.traits, f"fitted{conversion}"
    before = ",".join((*whole_frames(traits), *opaque_pixels(traits), f"settb=1/{CLOCK}"))
    graph = framing_chains(profile, source, pad=pad, before=before, label=label)
    mapped = ("-filter_complex", ";".join(graph), "-map", f"[{label}]")
    raw = ("-c:v", "rawvideo", "-fps_mode", "passthrough", "-enc_time_base:v", f"1:{CLOCK}")
    end = ("-t", end_s(source, profile.rate, seek))
    return (*mapped, *raw, *end, "-f", "null", "-", "-dec", f"{conversion}:0")


def end_s(source: SourceRange, rate: int, seek: int) -> str:
    """Return when a range has certainly ended in an input, in seconds."""
    return f"{(source.start + source.frames) / rate - seek + MARGIN_S:.3f}"


def grid_filters(source: SourceRange, rate: int, seek: int) -> str:
    """Convert any frame rate to the grid, then take exactly the frames of the range."""
    first = source.start - seek * rate
    end = first + source.frames
    return ",".join(
        (
            # A twentieth of a frame later, so that times rounded to milliseconds avoid ties.
            f"settb=1/{CLOCK}",
            f"setpts=PTS+{CLOCK // (20 * rate)}",
            # pass: a last frame shorter than half an output frame is shown, too.
            f"fps={rate}:start_time=0:eof_action=pass",
            f"tpad=stop_mode=clone:stop={end}",
            f"trim=start_frame={first}:end_frame={end}",
            "setpts=PTS-STARTPTS",
        )
    )
