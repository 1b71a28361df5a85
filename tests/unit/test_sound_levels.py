"""Loudness from levels of small units, against a meter that has all samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import clipmaker
import levels
from clipmill.ffmpeg.level_meter import LevelFiles
from clipmill.ffmpeg.programme_loudness import meter_args, raw_audio_input
from clipmill.sound.sound_levels import SoundLevels, loudness_of, parse_levels, unit_samples

RATES = (24, 25, 30, 50, 60)


def _measured(sound: levels.Sound, folder: Path, unit: int) -> SoundLevels:
    raw = levels.write(folder / "sound.f32", sound)
    files = LevelFiles("sound", unit)
    # In ffmpeg's working directory, which is that of the tests.
    args = [
        a.replace("file=sound.", f"file={folder}/sound.")
        for a in meter_args(raw_audio_input(str(raw)), files)
    ]
    clipmaker.ffmpeg(*args)
    texts = ((folder / name).read_text() for name in (files.energies, files.peaks))
    return parse_levels(*texts, unit=unit, samples=len(sound))


@pytest.mark.parametrize("rate", RATES)
def test_parts_add_up_to_the_whole(rate: int, tmp_path: Path) -> None:
    """Segments of uneven length, loud and quiet, have the loudness of all together."""
    frame, unit = levels.RATE // rate, unit_samples(rate)
    parts = [
        levels.noise(n * frame / levels.RATE, level_db=db, seed=n)
        for n, db in ((rate * 2 + 1, -20), (rate + 7, -30), (rate * 3 - 5, -14), (rate, -70))
    ]
    whole = np.concatenate(parts)
    together = loudness_of([_measured(part, tmp_path, unit) for part in parts])
    assert together.lufs == pytest.approx(levels.loudness(whole), abs=0.1)
    assert together.peak_dbtp == pytest.approx(levels.true_peak_db(whole), abs=0.5)


def test_silence_has_no_loudness(tmp_path: Path) -> None:
    """Neither loudness nor peak; and none of less than 400 ms."""
    assert loudness_of([_measured(levels.silence(1), tmp_path, 4800)]) == (None, None)
    short = _measured(levels.tone(997, 0.3), tmp_path, 4800)
    assert loudness_of([short]).lufs is None
