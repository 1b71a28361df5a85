"""Choose the sound of a timeline item: its track, and the gain that brings it to the target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from clipmill.protocol import AudioTrack, MediaFacts
from clipmill.spec import ClipAudio, parse_level
from clipmill.timeline.loudness_blocks import range_loudness

# Largest correction of an item's level, up or down, in hundredths of a decibel.
GAIN_LIMIT_MB = 2000


@dataclass(frozen=True, slots=True)
class ItemSound:
    """The sound of an item. `stream` is None for the first audio stream of the file."""

    is_audible: bool
    stream: int | None = None
    gain_mb: int = 0
    changes_form: bool = False


@dataclass(frozen=True, slots=True)
class PlayedPart:
    """The part of a file that plays, in seconds."""

    start_s: Fraction
    end_s: Fraction


SILENT = ItemSound(is_audible=False)
DEFAULT_AUDIO = ClipAudio()


def item_sound(
    facts: MediaFacts | None, audio: ClipAudio, part: PlayedPart, *, target_lufs: float
) -> ItemSound:
    """Return the sound of an item; a track that the file does not have leaves the default one."""
    track = _track(facts, audio) if facts else None
    codec = track.codec if track else facts and facts.audio_codec
    if facts is None or codec is None or audio.mute:
        return SILENT
    loudness = part_loudness(facts, track, part)
    own_gain_mb = round(parse_level(audio.gain) * 100)
    stream = track.stream if track else None
    changes_form = track.changes_form if track else False
    return ItemSound(True, stream, own_gain_mb + gain_mb(loudness, target_lufs), changes_form)


def track_notes(facts: MediaFacts | None, audio: ClipAudio, name: str) -> Sequence[str]:
    """Return a note if the chosen track does not exist or cannot be decoded."""
    if facts is None or audio.mute:
        return ()
    count = len(facts.audio_tracks)
    if audio.track is not None and not 1 <= audio.track <= count:
        return (
            f"{name}: audio.track {audio.track} does not exist, the file has {count};"
            f" {'the default track plays' if facts.audio_codec else 'the clip is silent'}",
        )
    track = _track(facts, audio)
    if track and track.codec is None:
        return (f"{name}: its audio cannot be decoded; the clip is silent",)
    return ()


def _track(facts: MediaFacts, audio: ClipAudio) -> AudioTrack | None:
    """Return the chosen track, else the default one; None for facts of older releases."""
    tracks = facts.audio_tracks
    number = audio.track if audio.track and audio.track <= len(tracks) else facts.audio_track
    return tracks[number - 1] if number <= len(tracks) else None


def part_loudness(facts: MediaFacts, track: AudioTrack | None, part: PlayedPart) -> float | None:
    """Return the loudness of a part of a file in LUFS, or None for silence.

    Facts without blocks, those of older releases, give the loudness of the whole file.
    """
    if track is None:
        return facts.loudness_lufs
    if not track.loudness_blocks:
        return track.loudness_lufs
    return range_loudness(
        track.loudness_blocks,
        hop_ms=track.loudness_hop_ms,
        start_s=part.start_s,
        end_s=part.end_s,
    )


def default_track(facts: MediaFacts) -> AudioTrack | None:
    """Return the track that plays unless another is chosen."""
    return _track(facts, DEFAULT_AUDIO)


def gain_mb(loudness_lufs: float | None, target_lufs: float) -> int:
    """Return the gain from one loudness to another in hundredths of a decibel; 0 for silence."""
    if loudness_lufs is None:
        return 0
    gain = round((target_lufs - loudness_lufs) * 100)
    return max(-GAIN_LIMIT_MB, min(GAIN_LIMIT_MB, gain))
