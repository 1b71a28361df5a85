"""The stretches in which the sound of an output is encoded, each named by what it contains.

AAC codes overlapping windows of two frames. A stretch is encoded with a lead before its first
frame and a tail after its last one, whose packets are dropped: so encoder and limiter are in the
state that they have in one encoding of the whole, and the windows of two stretches fit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from math import ceil

from clipmill.protocol import MusicMix, OutputAssignment
from clipmill.spec import AUDIO_RATE, parse_duration
from clipmill.spec.base import Model
from clipmill.spec.soundtrack import Ducking

# Raised when the same content would be encoded to other samples.
SOUND_ENCODER = 1
FRAME_SAMPLES = 1024
# 22.4 s: whole frames of AAC, and whole steps of 100 ms of the loudness meter.
STRETCH_FRAMES = 1050
LEAD_FRAMES, TAIL_FRAMES = 24, 4
# So many times its attack and release after a sound, ducking no longer depends on it: ffmpeg's
# envelope falls to 1/e within a quarter of such a time, so to less than a double can tell apart.
DUCKING_MEMORY = 10


class SoundStretch(Model):
    """A range of the encoded frames of an output.

    Attributes:
        key: Hash of all that decides its sound but the gain.
        first: First frame, of 1024 samples.
        frames: Number of frames.
        start: First sample to encode, with the lead.
        end: One past the last sample to encode, with the tail.
        samples: Number of its own samples.
    """

    key: str
    first: int
    frames: int
    start: int
    end: int
    samples: int

    @property
    def lead_samples(self) -> int:
        """Samples before its own."""
        return self.first * FRAME_SAMPLES - self.start


def output_samples(output: OutputAssignment) -> int:
    """Return the length of an output's sound in samples."""
    return sum(s.frames * AUDIO_RATE // s.profile.rate for s in output.segments)


def sound_stretches(output: OutputAssignment) -> list[SoundStretch]:
    """Return the stretches of an output in order. Opus is not divided: its packets depend."""
    samples = output_samples(output)
    total = -(-samples // FRAME_SAMPLES)
    is_opus = output.segments[0].profile.container == "webm"
    count = 1 if is_opus else max(1, total // STRETCH_FRAMES)
    firsts = [i * STRETCH_FRAMES for i in range(count)]
    return [
        _stretch(output, first, end, samples)
        for first, end in zip(firsts, [*firsts[1:], total], strict=True)
    ]


def stored_sound_keys(output: OutputAssignment) -> list[str]:
    """Return the keys of the stretches that are stored: none of a short output."""
    stretches = sound_stretches(output)
    return [stretch.key for stretch in stretches] if len(stretches) > 1 else []


def _stretch(output: OutputAssignment, first: int, end: int, samples: int) -> SoundStretch:
    start = max(0, first - LEAD_FRAMES) * FRAME_SAMPLES
    last = min(samples, (end + TAIL_FRAMES) * FRAME_SAMPLES)
    return SoundStretch(
        key=_key(output, start, last, first),
        first=first,
        frames=end - first,
        start=start,
        end=last,
        samples=min(samples, end * FRAME_SAMPLES) - first * FRAME_SAMPLES,
    )


def _key(output: OutputAssignment, start: int, end: int, first: int) -> str:
    form = (SOUND_ENCODER, output.audio_bitrate, output.true_peak_dbtp, end - start, first == 0)
    music, heard = "", start
    if output.music:
        music = _music(output.music, start, end)
        heard = max(0, start - ducking_memory(output.music.duck))
    lines = [repr(form), music, *_content(output, heard, end)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _music(mix: MusicMix, start: int, end: int) -> str:
    """Return the part of a mix that is heard in a range: its end only if it fades or ends there."""
    if end <= mix.end - mix.fade:
        mix = mix.model_copy(update={"end": 1, "fade": 0})
    return f"{mix.model_dump_json()} at {start}"


def ducking_memory(ducking: Ducking) -> int:
    """Return how many samples before a range decide how the music is lowered at its start."""
    times = parse_duration(ducking.attack) + parse_duration(ducking.release)
    return ceil(DUCKING_MEMORY * times * AUDIO_RATE)


def _content(output: OutputAssignment, start: int, end: int) -> Iterator[str]:
    """Yield each segment within a range, and where it begins."""
    at = 0
    for segment in output.segments:
        samples = segment.frames * AUDIO_RATE // segment.profile.rate
        if at < end and at + samples > start:
            yield f"{segment.key} {at - start}"
        at += samples
