"""Turn the sound of a source into exactly the stereo samples of a range."""

from __future__ import annotations

from collections.abc import Sequence

from clipmill.ffmpeg.source_pictures import end_s
from clipmill.protocol import SourceRange
from clipmill.spec import AUDIO_RATE


def audio_streams(source: SourceRange) -> tuple[str, ...]:
    """Return the specifiers of the streams that are heard: one, or those of left and right."""
    left = "a:0" if source.audio_stream is None else str(source.audio_stream)
    return (left,) if source.right_stream is None else (left, str(source.right_stream))


def sound_chains(
    source: SourceRange, rate: int, *, pads: Sequence[str], seek: int, label: str
) -> list[str]:
    """Return the chains to 48 kHz stereo without gaps, and to exactly the samples of the range.

    Args:
        source: The source range.
        rate: Frames per second of the output.
        pads: Input pads of the graph, one for each of `audio_streams`.
        seek: Position of the input in seconds.
        label: Label of the output pad; also the prefix of all inner labels.
    """
    # Joined recordings overlap by the delay of an encoder, which would be heard as a shift.
    overlaps = ":min_hard_comp=0.02" if source.audio_changes_form else ""
    steady = f"atrim=start=0,aresample={AUDIO_RATE}:async=1:first_pts=0{overlaps}"
    ranged = _range(source, rate, seek)
    if len(pads) == 1:
        stereo = "aformat=sample_fmts=flt:channel_layouts=stereo,apad"
        return [f"[{pads[0]}]{steady},{stereo},{ranged}[{label}]"]
    sides = [f"{label}{side}" for side in ("left", "right")]
    each = f"{steady},aformat=sample_fmts=fltp,apad"
    joined = "join=inputs=2:channel_layout=stereo:map=0.0-FL|1.0-FR,aformat=sample_fmts=flt"
    return [
        *(f"[{pad}]{each}[{side}]" for pad, side in zip(pads, sides, strict=True)),
        f"[{sides[0]}][{sides[1]}]{joined},{ranged}[{label}]",
    ]


def _range(source: SourceRange, rate: int, seek: int) -> str:
    samples_per_frame = AUDIO_RATE // rate
    first = (source.start - seek * rate) * samples_per_frame
    end = first + source.frames * samples_per_frame
    trimmed = f"atrim=start_sample={first}:end_sample={end},asetpts=PTS-STARTPTS"
    return f"{trimmed},volume={source.gain_mb / 100:.2f}dB"


def converted_sound_args(
    source: SourceRange, rate: int, *, pad: str, seek: int, conversion: int
) -> tuple[str, ...]:
    """Return arguments that bring sound which changes its form to one form, as `dec:conversion`.

    A graph of its own is built again at each change; in the graph of the segment, that would
    begin the range again. Its samples pass through an encoder and a decoder of raw samples.
    """
    channels = "1" if source.right_stream is not None else "2"
    form = ("-c:a", "pcm_f32le", "-ar", str(AUDIO_RATE), "-ac", channels)
    end = ("-t", end_s(source, rate, seek))
    return ("-map", pad, *form, *end, "-f", "null", "-", "-dec", f"{conversion}:0")
