"""Music mixed by ffmpeg: levels, ducking, loop and fade, exact to the sample."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import clipmaker
import levels
from clipmill.ffmpeg.music_mix import music_decode_args, music_mix_args
from clipmill.protocol import MusicMix
from clipmill.spec.soundtrack import Ducking
from clipmill_probe import probe_media
from levels import RATE, Sound, at, level_at

PROGRAMME_HZ, MUSIC_HZ = 440, 1500
MIX: dict[str, Any] = {
    "media_id": "m-track",
    "sha256": "0" * 64,
    "format": "wav",
    "gain_mb": -1200,
    "start": 0,
    "end": 10 * RATE,
    "loop": True,
    "fade": 0,
    "duck": Ducking(),
}
# Ten seconds, with the programme from second 2 to second 6.
SPEAKS = np.concatenate(
    [levels.silence(2), levels.tone(PROGRAMME_HZ, 4, level_db=-10), levels.silence(4)]
)


def _mix(folder: Path, programme: Sound, track: Sound, **changes: Any) -> Sound:
    mix = MusicMix.model_validate(MIX | changes)
    source = levels.track(folder / "track.wav", track)
    raw = levels.write(folder / "programme.f32", programme)
    clipmaker.ffmpeg(*music_decode_args(mix, str(source), str(folder / "track.f32")))
    out = folder / "mix.f32"
    args = music_mix_args(
        mix, str(raw), str(folder / "track.f32"), str(out), samples=len(programme)
    )
    clipmaker.ffmpeg(*args)
    mixed = levels.read(out)
    assert len(mixed) == len(programme)
    return mixed


def test_the_programme_keeps_its_level(tmp_path: Path) -> None:
    """The programme is as loud with music as without it, ducked or not."""
    for duck in (Ducking(), Ducking(ratio=1), Ducking(depth="-12dB")):
        mixed = _mix(tmp_path, SPEAKS, levels.tone(MUSIC_HZ, 10), duck=duck)
        level = level_at(at(mixed, 2.5, 5.5), PROGRAMME_HZ)
        assert level == pytest.approx(level_at(at(SPEAKS, 2.5, 5.5), PROGRAMME_HZ), abs=0.1)


def test_the_music_has_its_gain(tmp_path: Path) -> None:
    """Where the programme is silent, the track has its level plus the gain."""
    mixed = _mix(tmp_path, SPEAKS, levels.tone(MUSIC_HZ, 10, level_db=-8))
    assert level_at(at(mixed, 0.5, 1.5), MUSIC_HZ) == pytest.approx(-20, abs=0.1)
    assert level_at(at(mixed, 8, 9.5), MUSIC_HZ) == pytest.approx(-20, abs=0.1)


def test_ducks_while_the_programme_sounds(tmp_path: Path) -> None:
    """The music is lowered within the attack and returns within the release."""
    mixed = _mix(tmp_path, SPEAKS, levels.tone(MUSIC_HZ, 10, level_db=-8))
    free = level_at(at(mixed, 0.5, 1.5), MUSIC_HZ)
    # 24 dB above the threshold, of which a twentieth is left.
    assert level_at(at(mixed, 3, 5.5), MUSIC_HZ) - free == pytest.approx(-22.8, abs=0.5)
    assert level_at(at(mixed, 2.05, 2.15), MUSIC_HZ) - free < -15
    assert level_at(at(mixed, 6, 6.05), MUSIC_HZ) - free < -12
    assert level_at(at(mixed, 7.5, 8), MUSIC_HZ) - free == pytest.approx(0, abs=0.2)


@pytest.mark.parametrize("depth", [-6, -12, -24])
@pytest.mark.parametrize("programme_db", [-6, -24])
def test_a_depth_is_exact(depth: int, programme_db: int, tmp_path: Path) -> None:
    """The music is lowered by the depth, however loud the programme."""
    programme = np.concatenate(
        [levels.silence(2), levels.tone(PROGRAMME_HZ, 4, level_db=programme_db)]
    )
    duck = Ducking(depth=f"{depth}dB", attack="20ms", release="300ms")
    mixed = _mix(tmp_path, programme, levels.tone(MUSIC_HZ, 6), duck=duck)
    free = level_at(at(mixed, 0.5, 1.5), MUSIC_HZ)
    assert level_at(at(mixed, 3, 5.5), MUSIC_HZ) - free == pytest.approx(depth, abs=0.5)


def test_no_ducking_below_the_threshold(tmp_path: Path) -> None:
    """A programme below the threshold does not lower the music, with a depth either."""
    programme = levels.tone(PROGRAMME_HZ, 4, level_db=-45)
    for duck in (Ducking(), Ducking(depth="-12dB")):
        mixed = _mix(tmp_path, programme, levels.tone(MUSIC_HZ, 4, level_db=-8), duck=duck)
        assert level_at(at(mixed, 2, 3.5), MUSIC_HZ) == pytest.approx(-20, abs=0.2)


def test_ratio_1_does_not_duck(tmp_path: Path) -> None:
    """Ratio 1 disables ducking."""
    mixed = _mix(tmp_path, SPEAKS, levels.tone(MUSIC_HZ, 10, level_db=-8), duck=Ducking(ratio=1))
    assert level_at(at(mixed, 3, 5.5), MUSIC_HZ) == pytest.approx(-20, abs=0.1)


def test_plays_in_its_window_alone(tmp_path: Path) -> None:
    """There is no sample before the start or after the end, and the fade ends in silence."""
    start, end = 1 * RATE + 123, 7 * RATE
    mixed = _mix(
        tmp_path,
        levels.silence(10),
        levels.tone(MUSIC_HZ, 10) + np.float32(0.01),
        start=start,
        end=end,
        fade=2 * RATE,
    )
    assert not mixed[:start].any()
    assert not mixed[end:].any()
    assert mixed[start + 1 : start + 10].any()
    steady = level_at(at(mixed, 2, 4), MUSIC_HZ)
    assert level_at(at(mixed, 5.9, 6.1), MUSIC_HZ) - steady == pytest.approx(-6, abs=0.3)
    assert np.max(np.abs(mixed[end - 48 : end])) < 1e-4


def test_loops_without_a_gap(tmp_path: Path) -> None:
    """A track of whole periods repeats as one tone, without a lost, doubled or silent sample."""
    mixed = _mix(tmp_path, levels.silence(10), levels.tone(MUSIC_HZ, 1.5), gain_mb=0)
    expected = levels.tone(MUSIC_HZ, 10)
    assert np.max(np.abs(mixed - expected)) < 1e-4


def test_without_loop_the_track_plays_once(tmp_path: Path) -> None:
    """After the track the programme plays alone."""
    mixed = _mix(tmp_path, levels.silence(10), levels.tone(MUSIC_HZ, 3), loop=False, end=3 * RATE)
    assert mixed[2 * RATE : 3 * RATE].any()
    assert not mixed[3 * RATE :].any()


@pytest.mark.parametrize("name", ["a.mp3", "a.ogg", "a.opus", "a.flac", "a.wav", "a.m4a"])
@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_every_format(name: str, rate: int, tmp_path: Path) -> None:
    """A track of each supported format is mixed at its own level."""
    t = np.arange(5 * rate) / rate
    mono = (0.1 * np.sin(2 * np.pi * MUSIC_HZ * t)).astype(np.float32)
    source = levels.track(tmp_path / name, np.stack([mono, mono], axis=1), rate)
    facts = probe_media(source, allow_audio_only=True)
    assert facts.duration_us == pytest.approx(5_000_000, abs=60_000)
    assert facts.true_peak_dbtp == pytest.approx(-20, abs=1.2)
    mix = MusicMix.model_validate(MIX | {"format": facts.format, "end": 4 * RATE})
    raw = levels.write(tmp_path / "programme.f32", levels.silence(4))
    track, out = str(tmp_path / "track.f32"), str(tmp_path / "mix.f32")
    clipmaker.ffmpeg(*music_decode_args(mix, str(source), track))
    clipmaker.ffmpeg(*music_mix_args(mix, str(raw), track, out, samples=4 * RATE))
    mixed = levels.read(tmp_path / "mix.f32")
    assert level_at(at(mixed, 1, 3), MUSIC_HZ) == pytest.approx(-32, abs=0.4)
