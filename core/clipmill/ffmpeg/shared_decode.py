"""Render several segments by one command, each source of theirs decoded once.

A transition begins with the frames that follow the body before it. Rendered on its own, it decodes
the item again from a key frame on. Outputs of several sizes play the same parts of the same files.
Pixels and samples are the same either way.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from clipmill.ffmpeg.segment_args import SegmentCommand, SegmentTarget
from clipmill.ffmpeg.segment_inputs import has_conversions, reads_sound_from_start
from clipmill.protocol import Segment, SourceRange
from clipmill.spec import AUDIO_RATE

# A segment; a pair of a body and the transition after it; or both in several outputs.
Unit = tuple[Segment, ...]
# Encoders at a time in one command, each with its own memory.
MAX_OUTPUTS = 2
# Graphics cards limit the number of encodes at a time.
LIMITED_ENCODERS = ("h264_nvenc",)


def render_units(segments: Sequence[Segment]) -> list[Unit]:
    """Return the segments in units to be rendered by one command each, in order."""
    units: dict[Hashable, list[Unit]] = {}
    for pair in _pairs(segments):
        key = _played(pair[0]) or pair[0].key
        units.setdefault(key, []).append(pair)
    parts = [pairs[i : i + MAX_OUTPUTS] for pairs in units.values() for i in _starts(pairs)]
    return [tuple(segment for pair in part for segment in pair) for part in parts]


def _starts(pairs: Sequence[Unit]) -> range:
    return range(0, len(pairs), MAX_OUTPUTS)


def _pairs(segments: Sequence[Segment]) -> list[Unit]:
    pairs: list[Unit] = []
    for segment in segments:
        if pairs and len(pairs[-1]) == 1 and is_pair(pairs[-1][0], segment):
            pairs[-1] = (*pairs[-1], segment)
        else:
            pairs.append((segment,))
    return pairs


def _played(segment: Segment) -> Hashable:
    """Return which parts of which files a segment plays; None if its decode is not shared."""
    if segment.profile.encoder in LIMITED_ENCODERS or any(map(_is_apart, segment.sources)):
        return None
    return tuple(
        (source.media_id, *_quarters(source, segment.profile.rate)) for source in segment.sources
    )


def _quarters(source: SourceRange, rate: int) -> tuple[int, int]:
    """Return start and length in quarters of a second: other rates have other exact frames."""
    return round(4 * source.start / rate), round(4 * source.frames / rate)


def _is_apart(source: SourceRange) -> bool:
    return source.media_id is None or source.still is not None or has_conversions(source)


def is_pair(body: Segment, transition: Segment) -> bool:
    """Return whether one decode gives both segments exactly the frames and samples of two."""
    first, tail = body.sources[0], transition.sources[0]
    if len(body.sources) != 1 or len(transition.sources) != 2 or _is_apart(first):
        return False
    if body.profile != transition.profile or body.profile.encoder in LIMITED_ENCODERS:
        return False
    follows = {"start": first.start + first.frames, "frames": tail.frames, "layers": tail.layers}
    from_start = reads_sound_from_start(tail, body.profile.rate)
    return tail == first.model_copy(update=follows) and (from_start or not first.has_audio)


def unit_args(targets: Sequence[SegmentTarget]) -> tuple[str, ...]:
    """Return the arguments that render the segments of a unit."""
    command, rest, number = SegmentCommand(), list(targets), 0
    while rest:
        target = rest.pop(0)
        if rest and is_pair(target.segment, rest[0].segment):
            _add_pair(command, target, rest.pop(0), name=f"p{number}")
        else:
            command.add_segment(target, name=f"p{number}")
        number += 1
    return command.args()


def _add_pair(
    command: SegmentCommand, body: SegmentTarget, transition: SegmentTarget, *, name: str
) -> None:
    first, (tail, following) = body.segment.sources[0], transition.segment.sources
    profile = body.segment.profile
    whole = first.model_copy(update={"frames": first.frames + tail.frames})
    command.open_source(whole, body.paths[0], profile, name)
    command.graph += _parts(first, profile.rate, name)
    command.open_source(following, transition.paths[1], profile, f"{name}next")
    command.add_output(body, [f"{name}body"], prefix=f"{name}b")
    command.add_output(transition, [f"{name}tail", f"{name}next"], prefix=f"{name}t")


def _parts(first: SourceRange, rate: int, name: str) -> list[str]:
    """Return the chains that divide picture and sound after the frames of the body."""
    frames, samples = first.frames, first.frames * AUDIO_RATE // rate
    return [
        f"[v{name}]split[{name}v0][{name}v1]",
        f"[{name}v0]trim=end_frame={frames}[v{name}body]",
        f"[{name}v1]trim=start_frame={frames},setpts=PTS-STARTPTS[v{name}tail]",
        f"[a{name}]asplit[{name}a0][{name}a1]",
        f"[{name}a0]atrim=end_sample={samples}[a{name}body]",
        f"[{name}a1]atrim=start_sample={samples},asetpts=PTS-STARTPTS[a{name}tail]",
    ]
