"""The sound of a clip: loudness of the part that plays, gain, mute and track, measured."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import clipmaker
import levels
from clipmill.ffmpeg.segment_args import segment_args
from clipmill.protocol import MediaFacts
from clipmill.spec import CompilationSpec
from clipmill.timeline.build import MediaSource, Timeline, build_timeline
from clipmill.timeline.music_window import plan_music_mix
from clipmill.timeline.segments import split_into_segments
from clipmill_api.compilations import responses
from clipmill_api.compilations.media_sources import media_source
from clipmill_api.tables import MediaRow
from clipmill_probe import probe_media

TARGET = -14.0
OUTPUT = {"name": "main", "preset": "custom", "width": 64, "height": 64, "rate": 30}
QUIET_S, WHOLE_S = 4, 8


def _quiet_then_loud() -> levels.Sound:
    loud = levels.noise(WHOLE_S - QUIET_S, level_db=-10)
    return np.concatenate([levels.noise(QUIET_S, level_db=-30), loud])


def _with_sounds(path: Path, *tracks: Path, extra: tuple[str, ...] = ()) -> Path:
    """Write a clip with black video and one audio track per file."""
    inputs = [argument for track in tracks for argument in ("-i", str(track))]
    maps = [argument for i in range(len(tracks)) for argument in ("-map", f"{i + 1}:a")]
    black = ("-f", "lavfi", "-t", str(WHOLE_S), "-i", "color=s=64x64:r=30")
    clipmaker.ffmpeg(*black, *inputs, "-map", "0:v", *maps, "-c:a", "aac", *extra, str(path))
    return path


@pytest.fixture(scope="module")
def uneven(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, MediaFacts]:
    """Write a clip whose second half is 20 dB louder than its first, and probe it."""
    folder = tmp_path_factory.mktemp("uneven")
    sound = levels.track(folder / "sound.wav", _quiet_then_loud())
    path = _with_sounds(folder / "a.mp4", sound)
    return path, probe_media(path)


@pytest.fixture(scope="module")
def two_tracks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, MediaFacts]:
    """Write a clip with a loud tone of 400 Hz and a quiet one of 900 Hz in two tracks."""
    folder = tmp_path_factory.mktemp("tracks")
    low = levels.track(folder / "low.wav", levels.tone(400, WHOLE_S, level_db=-10))
    high = levels.track(folder / "high.wav", levels.tone(900, WHOLE_S, level_db=-30))
    path = _with_sounds(folder / "a.mkv", low, high)
    return path, probe_media(path)


def _timeline(facts: MediaFacts, **clip: Any) -> Timeline:
    spec = CompilationSpec.model_validate(
        {"clips": [{"mediaId": "m-clip", **clip}], "outputs": [OUTPUT]}
    )
    return build_timeline(spec, spec.outputs[0], [MediaSource("m-clip", "1" * 64, facts)], {})


def _played(clip: tuple[Path, MediaFacts], folder: Path, **fields: Any) -> levels.Sound:
    """Return the sound of the only segment of a compilation of one clip."""
    path, facts = clip
    (segment,) = split_into_segments(_timeline(facts, **fields))
    clipmaker.ffmpeg(*segment_args(segment, [str(path)], str(folder / "out.mov")))
    return levels.decoded(folder / "out.mov")


RANGES = {
    "quiet half": ("0s", "4s"),
    "loud half": ("4s", "8s"),
    "a second of the quiet half": ("1500ms", "2500ms"),
    "a third of a second": ("6s", "6333ms"),
}


@pytest.mark.parametrize("part", RANGES)
def test_the_part_that_plays_reaches_the_target(
    part: str, uneven: tuple[Path, MediaFacts], tmp_path: Path
) -> None:
    """A clip whose loud half lies outside its trim is as loud as one that plays the loud half."""
    start, end = RANGES[part]
    sound = _played(uneven, tmp_path, start=start, end=end)
    # The meter needs 0.4 s: a shorter sound is repeated, which does not change noise's loudness.
    repeated = np.concatenate([sound] * (1 + 20_000 // len(sound)))
    assert levels.loudness(repeated) == pytest.approx(TARGET, abs=0.4)


def test_facts_of_older_releases_give_the_loudness_of_the_whole_file() -> None:
    """Facts without tracks keep the gain that they had."""
    facts = MediaFacts(
        format="mov", duration_us=8_000_000, frames=240, audio_codec="aac", loudness_lufs=-20.0
    )
    (source,) = _timeline(facts, end="2s").sources
    assert (source.gain_mb, source.audio_stream) == (600, None)


@pytest.mark.parametrize("gain", [-6, 3])
def test_gain_is_relative_to_the_target(
    gain: int, uneven: tuple[Path, MediaFacts], tmp_path: Path
) -> None:
    """A gain is added after the clip has been brought to the target."""
    sound = _played(uneven, tmp_path, end="4s", audio={"gain": f"{gain}dB"})
    assert levels.loudness(sound) == pytest.approx(TARGET + gain, abs=0.4)


def test_mute(uneven: tuple[Path, MediaFacts], tmp_path: Path) -> None:
    """A muted clip has silence of its length."""
    sound = _played(uneven, tmp_path, end="4s", audio={"mute": True})
    assert (len(sound), float(np.abs(sound).max())) == (4 * levels.RATE, 0.0)


@pytest.mark.parametrize(("track", "heard", "absent"), [(1, 400, 900), (2, 900, 400)])
def test_track(
    track: int,
    heard: int,
    absent: int,
    two_tracks: tuple[Path, MediaFacts],
    tmp_path: Path,
) -> None:
    """The chosen track plays, at the target by its own loudness."""
    sound = _played(two_tracks, tmp_path, end="4s", audio={"track": track})
    assert levels.loudness(sound) == pytest.approx(TARGET, abs=0.4)
    assert levels.level_at(sound, heard) > levels.level_at(sound, absent) + 60


def test_a_track_that_does_not_exist_is_noted(two_tracks: tuple[Path, MediaFacts]) -> None:
    """The default track plays, and a note of the plan names the clip and the track."""
    timeline = _timeline(two_tracks[1], audio={"track": 3}, name="raid")
    (note,) = timeline.notes
    assert note.startswith("raid: audio.track 3")
    assert timeline.sources[0].audio_stream == two_tracks[1].audio_tracks[0].stream


def test_sound_that_starts_late_is_measured_where_it_plays(tmp_path: Path) -> None:
    """Blocks count from the start of the file, not from the first sample."""
    late = levels.track(tmp_path / "late.wav", levels.noise(4, level_db=-20))
    path = tmp_path / "late.mkv"
    black = ("-f", "lavfi", "-t", str(WHOLE_S), "-i", "color=s=64x64:r=30")
    clipmaker.ffmpeg(*black, "-itsoffset", "4", "-i", str(late), "-c:a", "aac", str(path))
    sound = _played((path, probe_media(path)), tmp_path, start="4s", end="8s")
    assert levels.loudness(sound) == pytest.approx(TARGET, abs=0.4)


def test_music_by_the_part_that_plays(tmp_path: Path) -> None:
    """Music that is loud only after the end of the timeline is raised to the programme's level."""
    path = levels.track(tmp_path / "music.wav", _quiet_then_loud())
    facts = probe_media(path, allow_audio_only=True)
    spec = CompilationSpec.model_validate(
        {
            "clips": [{"mediaId": "m-clip", "end": "4s"}],
            "outputs": [OUTPUT],
            "music": {"mediaId": "m-track", "gain": "0dB"},
        }
    )
    clip = MediaFacts(format="mov", duration_us=8_000_000, frames=240)
    sources = [MediaSource("m-clip", "1" * 64, clip)]
    timeline = build_timeline(spec, spec.outputs[0], sources, {})
    assert spec.music is not None
    mix, _ = plan_music_mix(
        spec.music, timeline, MediaSource("m-track", "2" * 64, facts), target_lufs=TARGET
    )
    assert mix is not None
    played = levels.at(_quiet_then_loud(), 0, QUIET_S)
    assert levels.loudness(played) + mix.gain_mb / 100 == pytest.approx(TARGET, abs=0.4)


def test_views_leave_the_blocks_out(uneven: tuple[Path, MediaFacts]) -> None:
    """A list of media files stays small; the planner reads the blocks from the row."""
    facts = uneven[1].model_dump(mode="json")
    row = MediaRow(
        id="m-clip",
        kind="clip",
        filename="a.mp4",
        size_bytes=1,
        sha256="1" * 64,
        facts=facts,
        created_at=datetime(2026, 11, 27, tzinfo=UTC),
    )
    view = responses.media_view(row).facts
    assert view is not None
    assert [track.loudness_blocks for track in view.audio_tracks] == [""]
    assert view.audio_tracks[0].loudness_lufs == uneven[1].audio_tracks[0].loudness_lufs
    source = media_source(row).facts
    assert source is not None
    assert len(source.audio_tracks[0].loudness_blocks) > 100
