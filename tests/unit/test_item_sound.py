"""Notes on the sound of a clip."""

from fractions import Fraction

import pytest

from clipmill.protocol import AudioTrack, MediaFacts
from clipmill.spec import ClipAudio
from clipmill.timeline.item_sound import PlayedPart, item_sound, stereo_pair, track_notes
from clipmill.timeline.loudness_blocks import encode_blocks

GOOD, BROKEN = AudioTrack(stream=1, codec="aac"), AudioTrack(stream=2)
CASES = [
    ([GOOD], {}, 0),
    ([GOOD, BROKEN], {}, 0),
    ([BROKEN], {}, 1),
    ([GOOD, BROKEN], {"track": 2}, 1),
    ([GOOD], {"track": 2}, 1),
    ([BROKEN], {"mute": True}, 0),
    ([], {}, 0),
]


@pytest.mark.parametrize(("tracks", "audio", "count"), CASES)
def test_track_notes(tracks: list[AudioTrack], audio: dict[str, object], count: int) -> None:
    """A track that does not exist or cannot be decoded gets a note that names the clip."""
    codec = tracks[0].codec if tracks else None
    facts = MediaFacts(format="mov", duration_us=1, audio_codec=codec, audio_tracks=tracks)
    notes = track_notes(facts, ClipAudio.model_validate(audio), "clip-1")
    assert len(notes) == count
    assert all("clip-1" in note for note in notes)


LEFT = AudioTrack(stream=1, codec="aac", layout="1 channels (FL)")
RIGHT = AudioTrack(stream=2, codec="aac", layout="1 channels (FR)")
STEREO = AudioTrack(stream=3, codec="aac", layout="stereo")
PAIRS = [
    ([LEFT, RIGHT], LEFT, (LEFT, RIGHT)),
    ([RIGHT, LEFT], RIGHT, (LEFT, RIGHT)),
    ([LEFT, RIGHT, STEREO], STEREO, (None, None)),
    ([LEFT, STEREO], LEFT, (None, None)),
    ([LEFT, RIGHT.model_copy(update={"codec": None})], LEFT, (None, None)),
    ([], None, (None, None)),
]


@pytest.mark.parametrize(("tracks", "played", "pair"), PAIRS)
def test_stereo_pair(tracks: list[AudioTrack], played: AudioTrack | None, pair: object) -> None:
    """Left and right are a pair if one of them plays by default."""
    assert stereo_pair(tracks, played) == pair


@pytest.mark.parametrize(("track", "expected"), [(None, (1, 2)), (1, (1, None)), (2, (2, None))])
def test_a_chosen_track_is_heard_alone(track: int | None, expected: tuple[int, int | None]) -> None:
    """`audio.track` takes one track, not the pair; the pair is 3 dB louder than one of two."""
    blocks, hop_ms = encode_blocks([-20.0] * 20)
    tracks = [
        each.model_copy(update={"loudness_blocks": blocks, "loudness_hop_ms": hop_ms})
        for each in (LEFT, RIGHT)
    ]
    facts = MediaFacts(format="mov", duration_us=2_000_000, audio_codec="aac", audio_tracks=tracks)
    part = PlayedPart(Fraction(0), Fraction(2))
    sound = item_sound(facts, ClipAudio(track=track), part, target_lufs=-14)
    assert (sound.stream, sound.right_stream) == expected
    assert sound.gain_mb == pytest.approx(300 if track is None else 600, abs=10)


@pytest.mark.parametrize(
    ("audio", "start_us"), [({}, 10), ({"track": 2}, 20), ({"track": 3}, 10), ({"mute": True}, 30)]
)
def test_the_clock_is_that_of_the_streams_that_are_read(
    audio: dict[str, object], start_us: int
) -> None:
    """Facts of earlier releases know the file's clock only."""
    tracks = [
        STEREO.model_copy(update={"start_us": 10}),
        STEREO.model_copy(update={"start_us": 20}),
        STEREO,
    ]
    facts = MediaFacts(
        format="mpegts",
        duration_us=1,
        audio_codec="aac",
        audio_tracks=tracks,
        start_us=10,
        silent_start_us=30,
    )
    part = PlayedPart(Fraction(0), Fraction(1))
    sound = item_sound(facts, ClipAudio.model_validate(audio), part, target_lufs=-14)
    assert sound.start_us == start_us
