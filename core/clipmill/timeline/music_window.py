"""Decide where the music of an output plays, from the timeline's frames to samples."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from clipmill.protocol import MusicMix, TimelineItem
from clipmill.spec import AUDIO_RATE, parse_duration, parse_level
from clipmill.spec.soundtrack import Music, MusicEnd, MusicStart
from clipmill.timeline.build import MediaSource, Timeline
from clipmill.timeline.item_sound import PlayedPart, default_track, gain_mb, part_loudness


class MusicWindow(NamedTuple):
    """A range of frames of the output: the first one, and one past the last."""

    start: int
    end: int


def music_window(music: Music, items: Sequence[TimelineItem], frames: int) -> MusicWindow:
    """Return where the music may play; the window is empty when start is not before end."""
    start, end = 0, frames
    if music.starts is MusicStart.AFTER_INTRO and items[0].kind == "intro":
        last = items[1] if len(items) > 1 and items[1].kind == "bumper" else items[0]
        start = last.at + last.frames
    if music.until is MusicEnd.BEFORE_OUTRO and items[-1].kind == "outro":
        first = items[-2] if len(items) > 1 and items[-2].kind == "bumper" else items[-1]
        end = first.at
    return MusicWindow(start, end)


def plan_music_mix(
    music: Music, timeline: Timeline, source: MediaSource, *, target_lufs: float
) -> tuple[MusicMix | None, str | None]:
    """Return the mix for an output, or None and a note that says why there is no music."""
    facts = source.facts
    if facts is None or source.media_id is None:
        return None, None
    window = music_window(music, timeline.items, timeline.frames)
    if window.start >= window.end:
        return None, (
            f"music: left out: from {music.starts} (frame {window.start}) is not before"
            f" until {music.until} (frame {window.end})"
        )
    samples_per_frame = AUDIO_RATE // timeline.profile.rate
    start, end = window.start * samples_per_frame, window.end * samples_per_frame
    if not music.loop:
        end = min(end, start + max(1, facts.duration_us * AUDIO_RATE // 1_000_000))
    played = PlayedPart(Fraction(0), Fraction(end - start, AUDIO_RATE))
    track = default_track(facts)
    loudness = part_loudness(facts, track, played)
    mix = MusicMix(
        media_id=source.media_id,
        sha256=source.sha256,
        format=facts.format,
        audio_stream=track.stream if track else None,
        gain_mb=round(parse_level(music.gain) * 100) + gain_mb(loudness, target_lufs),
        start=start,
        end=end,
        loop=music.loop,
        fade=min(end - start, int(parse_duration(music.fade_out) * AUDIO_RATE)),
        duck=music.duck,
    )
    return mix, None
