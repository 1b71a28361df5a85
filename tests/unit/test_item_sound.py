"""Notes on the sound of a clip."""

import pytest

from clipmill.protocol import AudioTrack, MediaFacts
from clipmill.spec import ClipAudio
from clipmill.timeline.item_sound import track_notes

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
