"""Open the sources of segments: inputs of ffmpeg, and the chains to frames and samples of a range.

Picture and sound of each source are put on one grid that starts at the start of the file,
whatever the segment. So neighbouring segments of a source meet without a lost, doubled or shifted
frame.
"""

from __future__ import annotations

from typing import NamedTuple

from clipmill.ffmpeg.source_pictures import (
    decoder_args,
    fitted_picture_args,
    grid_filters,
    picture_chains,
)
from clipmill.ffmpeg.source_sound import audio_streams, converted_sound_args, sound_chains
from clipmill.ffmpeg.still_filter import card_chain, still_chains
from clipmill.protocol import Profile, SourceRange
from clipmill.spec import AUDIO_RATE

# Demuxers that seek exactly to the key frame before a time. Others are read from the start.
SEEKABLE = ("mov", "matroska")
# Up to this position, audio is decoded from the start of the file. That is cheap, and gives the
# same samples in each segment.
AUDIO_SEEK_S = 600
MAX_PIXELS = 8192 * 8192


def seek_s(start: int, rate: int) -> int:
    """Return the whole second from which to read for a frame, at least a quarter second before.

    A whole second moves times by whole frames, so that rounding to the grid is the same in each
    segment.
    """
    return max(0, start - -(-rate // 4)) // rate


def _source_seek_s(source: SourceRange, rate: int) -> int:
    # Not past the last picture, which is to be held.
    first = source.start if source.held_from is None else min(source.start, source.held_from)
    if source.start_us < 0:  # An excerpt: the file starts after the second that counts as its 0.
        first += source.start_us * rate // 1_000_000
    return seek_s(first, rate) if source.format in SEEKABLE else 0


def source_inputs(source: SourceRange, path: str, rate: int) -> list[tuple[str, ...]]:
    """Return one input for picture and sound, or a second one that reads sound from the start."""
    seek = _source_seek_s(source, rate)
    if not source.has_audio or not seek or not reads_sound_from_start(source, rate):
        return [_input(source, path, seek)]
    return [_input(source, path, seek), _input(source, path, 0)]


def reads_sound_from_start(source: SourceRange, rate: int) -> bool:
    """Return whether sound is decoded from the start of the file, whatever the range."""
    return source.start < AUDIO_SEEK_S * rate or source.format not in SEEKABLE


def has_conversions(source: SourceRange) -> bool:
    """Return whether streams of a source are brought to one form by graphs of their own."""
    return source.traits.changes_shape or source.audio_changes_form


def _input(source: SourceRange, path: str, seek: int) -> tuple[str, ...]:
    """Return the arguments of an input that starts at the key frame before `seek` seconds."""
    # An accurate seek would drop the frame that is on screen at `seek` if it began earlier.
    position = ("-noaccurate_seek", "-ss", str(seek)) if seek else ()
    offset = ("-itsoffset", f"{-source.start_us}us") if source.start_us else ()
    changes = (
        *("-reinit_filter:v", str(int(source.traits.changes_shape))),
        *("-reinit_filter:a", str(int(source.audio_changes_form))),
    )
    decoder = decoder_args(source.traits, video_specifier(source.video_stream))
    options = (*safe_input_args(source.format), *changes, *decoder, *offset, *position)
    return (*options, "-i", f"file:{path}")


def safe_input_args(demuxer: str) -> tuple[str, ...]:
    """Return options for an untrusted input: one demuxer, files only, a limit on pixels."""
    whitelist = ("-f", demuxer, "-protocol_whitelist", "file", "-format_whitelist", demuxer)
    return (*whitelist, "-max_pixels", str(MAX_PIXELS))


def video_specifier(stream: int | None) -> str:
    """Return the specifier of a video stream within its file."""
    return "V:0" if stream is None else str(stream)


class SourceOpening(NamedTuple):
    """Name of a source in its command, and the numbers of its inputs."""

    name: str
    video: int
    audio: int


def video_chains(
    source: SourceRange,
    profile: Profile,
    opening: SourceOpening,
    conversions: list[tuple[str, ...]],
) -> list[str]:
    label = f"v{opening.name}"
    if source.still:
        return still_chains(profile, source, pad=f"{opening.video}:V:0", label=label)
    seek = _source_seek_s(source, profile.rate)
    pad = f"{opening.video}:{video_specifier(source.video_stream)}"
    if not source.traits.changes_shape:
        return picture_chains(profile, source, pad=pad, seek=seek, label=label)
    number = len(conversions)
    conversions.append(fitted_picture_args(profile, source, pad=pad, seek=seek, conversion=number))
    shown = f"{grid_filters(source, profile.rate, seek)},setsar=1,format=yuv420p"
    return [f"[dec:{number}]{shown}[{label}]"]


def audio_chains(
    source: SourceRange, rate: int, opening: SourceOpening, conversions: list[tuple[str, ...]]
) -> list[str]:
    if source.still or not source.has_audio:
        return [_silence(source.frames, rate, opening.name)]
    seek = _source_seek_s(source, rate) if opening.audio == opening.video else 0
    pads = [f"{opening.audio}:{specifier}" for specifier in audio_streams(source)]
    if source.audio_changes_form:
        first = len(conversions)
        conversions += [
            converted_sound_args(source, rate, pad=pad, seek=seek, conversion=first + i)
            for i, pad in enumerate(pads)
        ]
        pads = [f"dec:{first + i}" for i in range(len(pads))]
    return sound_chains(source, rate, pads=pads, seek=seek, label=f"a{opening.name}")


def placeholder_chains(source: SourceRange, profile: Profile, name: str) -> list[str]:
    if source.still:
        card = card_chain(profile, source, source.still, f"v{name}")
        return [card, _silence(source.frames, profile.rate, name)]
    size = f"s={profile.width}x{profile.height}:r={profile.rate}"
    black = f"color=c=black:{size},trim=end_frame={source.frames},setsar=1,format=yuv420p[v{name}]"
    return [black, _silence(source.frames, profile.rate, name)]


def _silence(frames: int, rate: int, name: str) -> str:
    end = frames * AUDIO_RATE // rate
    chain = f"anullsrc=r={AUDIO_RATE}:cl=stereo,aformat=sample_fmts=flt,atrim=end_sample={end}"
    return f"{chain}[a{name}]"
