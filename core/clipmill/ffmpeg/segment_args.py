"""Build the arguments with which ffmpeg renders exactly the frames and samples of a segment.

Picture and sound of each source are put on one grid that starts at the start of the file,
whatever the segment. So neighbouring segments of a source meet without a lost, doubled or shifted
frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from clipmill.ffmpeg.encoding import FRAME_PROPERTIES, TICKS, encoding_args
from clipmill.ffmpeg.level_meter import LevelFiles, meter_chains
from clipmill.ffmpeg.overlay_filter import LayerInput, RenderedLayer, image_input, overlay_chains
from clipmill.ffmpeg.source_pictures import (
    decoder_args,
    fitted_picture_args,
    grid_filters,
    picture_chains,
)
from clipmill.ffmpeg.source_sound import audio_streams, converted_sound_args, sound_chains
from clipmill.ffmpeg.still_filter import card_chain, still_chains
from clipmill.protocol import Profile, Segment, SourceRange
from clipmill.spec import AUDIO_RATE, Curve

GLOBAL = ("-nostdin", "-hide_banner", "-nostats", "-loglevel", "warning", "-y")
# Demuxers that seek exactly to the key frame before a time. Others are read from the start.
SEEKABLE = ("mov", "matroska")
# Up to this position, audio is decoded from the start of the file. That is cheap, and gives the
# same samples in each segment.
AUDIO_SEEK_S = 600
MAX_PIXELS = 8192 * 8192
CURVES = {
    Curve.EQUAL_POWER: "qsin",
    Curve.LINEAR: "tri",
    Curve.SMOOTH: "hsin",
    Curve.EXPONENTIAL: "exp",
}


def segment_args(
    segment: Segment,
    paths: Sequence[str | None],
    out: str,
    rendered: Sequence[RenderedLayer] = (),
    levels: LevelFiles | None = None,
) -> tuple[str, ...]:
    """Return the arguments that render a segment.

    Args:
        segment: The segment.
        paths: The file of each source range, None for a placeholder.
        out: Path of the rendered segment.
        rendered: The image of each layer, in the order of `segment.layers()`.
        levels: Where to write the levels of its sound.
    """
    inputs: list[str] = []
    graph: list[str] = []
    conversions: list[tuple[str, ...]] = []
    opened = 0
    for i, (source, path) in enumerate(zip(segment.sources, paths, strict=True)):
        if path is None:
            graph += _placeholder(source, segment.profile, i)
            continue
        source_inputs = _source_inputs(source, path, segment.profile.rate)
        inputs += [argument for source_input in source_inputs for argument in source_input]
        opening = _Opening(i, video=opened, audio=opened + len(source_inputs) - 1)
        graph += _video_chains(source, segment.profile, opening, conversions)
        graph += _audio_chains(source, segment.profile.rate, opening, conversions)
        opened += len(source_inputs)
    layers = [
        LayerInput(layer, image, opened + i)
        for i, (layer, image) in enumerate(zip(segment.layers(), rendered, strict=True))
    ]
    inputs += [argument for layer in layers for argument in image_input(layer.rendered)]
    video, audio = _combine(segment, layers, graph)
    if levels:
        graph += meter_chains(audio, levels, label="heard")
        audio = "[heard]"
    graph.append(f"{video}{FRAME_PROPERTIES}[video]")
    mapped = ("-filter_complex", ";".join(graph), "-map", "[video]", "-map", audio)
    encoding = encoding_args(segment.profile, segment.frames)
    converted = [argument for conversion in conversions for argument in conversion]
    return (*GLOBAL, *inputs, *converted, *mapped, *encoding, f"file:{out}")


def _combine(segment: Segment, layers: Sequence[LayerInput], graph: list[str]) -> tuple[str, str]:
    """Append layers, transition and watermark to the graph; return the labels of its outputs."""
    length = {"frames": segment.frames, "rate": segment.profile.rate}
    videos, used = [], 0
    for i, source in enumerate(segment.sources):
        own = layers[used : used + len(source.layers)]
        graph += overlay_chains(own, **length, pad=f"v{i}", label=f"c{i}")
        videos.append(f"c{i}" if own else f"v{i}")
        used += len(own)
    video, audio = videos[0], "a0"
    if len(segment.sources) == 2:
        graph += _transition(segment, videos)
        video, audio = "v", "a"
    if segment.watermark:
        graph += overlay_chains(layers[used:], **length, pad=video, label="marked")
        video = "marked"
    return f"[{video}]", f"[{audio}]"


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


def _source_inputs(source: SourceRange, path: str, rate: int) -> list[tuple[str, ...]]:
    """Return one input for picture and sound, or a second one that reads sound from the start."""
    seek = _source_seek_s(source, rate)
    if not source.has_audio or not seek or source.start >= AUDIO_SEEK_S * rate:
        return [_input(source, path, seek)]
    return [_input(source, path, seek), _input(source, path, 0)]


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


class _Opening(NamedTuple):
    """Position of a source in its segment, and the numbers of its inputs."""

    position: int
    video: int
    audio: int


def _video_chains(
    source: SourceRange, profile: Profile, opening: _Opening, conversions: list[tuple[str, ...]]
) -> list[str]:
    label = f"v{opening.position}"
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


def _audio_chains(
    source: SourceRange, rate: int, opening: _Opening, conversions: list[tuple[str, ...]]
) -> list[str]:
    if source.still or not source.has_audio:
        return [_silence(source.frames, rate, opening.position)]
    seek = _source_seek_s(source, rate) if opening.audio == opening.video else 0
    pads = [f"{opening.audio}:{specifier}" for specifier in audio_streams(source)]
    if source.audio_changes_form:
        first = len(conversions)
        conversions += [
            converted_sound_args(source, rate, pad=pad, seek=seek, conversion=first + i)
            for i, pad in enumerate(pads)
        ]
        pads = [f"dec:{first + i}" for i in range(len(pads))]
    return sound_chains(source, rate, pads=pads, seek=seek, label=f"a{opening.position}")


def _placeholder(source: SourceRange, profile: Profile, i: int) -> list[str]:
    if source.still:
        card = card_chain(profile, source, source.still, f"v{i}")
        return [card, _silence(source.frames, profile.rate, i)]
    size = f"s={profile.width}x{profile.height}:r={profile.rate}"
    black = f"color=c=black:{size},trim=end_frame={source.frames},setsar=1,format=yuv420p[v{i}]"
    return [black, _silence(source.frames, profile.rate, i)]


def _silence(frames: int, rate: int, i: int) -> str:
    end = frames * AUDIO_RATE // rate
    chain = f"anullsrc=r={AUDIO_RATE}:cl=stereo,aformat=sample_fmts=flt,atrim=end_sample={end}"
    return f"{chain}[a{i}]"


def _transition(segment: Segment, videos: Sequence[str]) -> list[str]:
    """Return the chains from the first source to the second, over all frames of the segment."""
    frames, rate = segment.frames, segment.profile.rate
    # ffmpeg names the transitions as we do, in lower case.
    name = segment.transition.lower()
    samples = frames * AUDIO_RATE // rate
    fade = f"ss=0:ns={samples}:curve={CURVES[segment.curve]}"
    return [
        f"[{videos[0]}][{videos[1]}]xfade=transition={name}:duration={frames / rate:.6f}:offset=0"
        ",format=yuv420p[v]",
        f"[a0]afade=t=out:{fade}[out]",
        f"[a1]afade=t=in:{fade}[in]",
        f"[out][in]amix=inputs=2:normalize=0,atrim=end_sample={samples}[a]",
    ]


__all__ = ["CURVES", "GLOBAL", "TICKS", "RenderedLayer", "seek_s", "segment_args"]
