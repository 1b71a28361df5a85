"""Choose the sound of a timeline item: its track, and the gain that brings it to the target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from clipmill.protocol import AudioTrack, MediaFacts
from clipmill.spec import ClipAudio, parse_level
from clipmill.timeline.loudness_blocks import add_blocks, range_loudness

# Largest correction of an item's level, up or down, in hundredths of a decibel.
GAIN_LIMIT_MB = 2000

# Layouts of streams that hold one channel, as ffmpeg names them.
LEFT_LAYOUT, RIGHT_LAYOUT = "1 channels (FL)", "1 channels (FR)"


@dataclass(frozen=True, slots=True)
class ItemSound:
    """The sound of an item.

    Attributes:
        is_audible: Whether there is any.
        stream: Index of the audio stream; None for the first one of the file.
        right_stream: Index of the stream of the right channel, if `stream` holds the left one.
        gain_mb: Gain in hundredths of a decibel.
        changes_form: Whether rate, sample format or layout change within the stream.
        start_us: Time at which the item's streams start after what ffmpeg takes as the file's
            start, which depends on the streams that are read.
    """

    is_audible: bool
    stream: int | None = None
    right_stream: int | None = None
    gain_mb: int = 0
    changes_form: bool = False
    start_us: int = 0


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
    if facts is None:
        return SILENT
    if codec is None or audio.mute:
        return ItemSound(is_audible=False, start_us=_first_known(facts.silent_start_us, facts))
    own_gain_mb = round(parse_level(audio.gain) * 100)
    left, right = (None, None) if audio.track else stereo_pair(facts.audio_tracks, track)
    loudness = part_loudness(facts, left or track, part, right)
    played = left or track
    return ItemSound(
        is_audible=True,
        stream=played.stream if played else None,
        right_stream=right.stream if right else None,
        gain_mb=own_gain_mb + gain_mb(loudness, target_lufs),
        changes_form=any(each.changes_form for each in (played, right) if each),
        start_us=_first_known(played.start_us if played else None, facts),
    )


def _first_known(start_us: int | None, facts: MediaFacts) -> int:
    return facts.start_us if start_us is None else start_us


def stereo_pair(
    tracks: Sequence[AudioTrack], played: AudioTrack | None
) -> tuple[AudioTrack, AudioTrack] | tuple[None, None]:
    """Return the tracks of the left and of the right channel, if `played` is one of them."""
    usable = [track for track in tracks if track.codec]
    left = next((track for track in usable if track.layout == LEFT_LAYOUT), None)
    right = next((track for track in usable if track.layout == RIGHT_LAYOUT), None)
    if left is None or right is None or played not in (left, right):
        return None, None
    return left, right


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


def part_loudness(
    facts: MediaFacts, track: AudioTrack | None, part: PlayedPart, right: AudioTrack | None = None
) -> float | None:
    """Return the loudness of a part of a file in LUFS, or None for silence.

    Facts without blocks, those of older releases, give the loudness of the whole file. `right` is
    a track that is heard together with `track`.
    """
    if track is None:
        return facts.loudness_lufs
    if not track.loudness_blocks:
        return track.loudness_lufs
    return range_loudness(
        add_blocks(track.loudness_blocks, right.loudness_blocks if right else ""),
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
