"""Loudness and true peak of a source, as ffmpeg's own meter measures them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import av.logging
import numpy as np
import pytest

import levels
from clipmill_job.ffmpeg_binary import find_ffmpeg
from clipmill_probe import probe_media
from clipmill_probe.decode import read_media
from clipmill_probe.depth import Depth
from levels import Sound

SOUNDS: dict[str, Sound] = {
    "loud": levels.noise(3, level_db=-6),
    "quiet": levels.noise(3, level_db=-55),
    "quiet, with a loud end shorter than a report": np.concatenate(
        [levels.noise(3, level_db=-40), levels.noise(0.05, level_db=-3)]
    ),
    "half of it silent": np.concatenate([levels.noise(3, level_db=-30), levels.silence(3)]),
    "one window": levels.noise(0.45, level_db=-20),
}


def _by_ffmpeg(path: Path) -> tuple[float, float]:
    """Return loudness in LUFS and true peak in dBTP by the summary in ffmpeg's log."""
    argv = (find_ffmpeg().path, "-nostdin", "-hide_banner", "-i", str(path), "-map", "0:a")
    meter = ("-af", "ebur128=peak=true:framelog=quiet", "-f", "null", "-")
    log = subprocess.run((*argv, *meter), capture_output=True, text=True, check=True).stderr
    lufs, peak = re.search(r"I: +(\S+) LUFS", log), re.search(r"Peak: +(\S+) dBFS", log)
    assert lufs is not None
    assert peak is not None
    return float(lufs[1]), float(peak[1])


@pytest.mark.parametrize("name", SOUNDS)
def test_as_ffmpeg_measures(name: str, tmp_path: Path) -> None:
    """Both to a tenth of a decibel."""
    path = levels.track(tmp_path / "sound.wav", SOUNDS[name])
    facts = probe_media(path, allow_audio_only=True)
    lufs, peak = _by_ffmpeg(path)
    assert facts.loudness_lufs == pytest.approx(lufs, abs=0.11)
    assert facts.true_peak_dbtp == pytest.approx(peak, abs=0.11)


def test_silence(tmp_path: Path) -> None:
    """It has neither, like sound shorter than the meter's window."""
    for name, sound in (("no", levels.silence(2)), ("short", levels.noise(0.3, level_db=-20))):
        facts = probe_media(levels.track(tmp_path / f"{name}.wav", sound), allow_audio_only=True)
        assert (facts.loudness_lufs, facts.true_peak_dbtp) == (None, None)


@pytest.mark.parametrize("depth", Depth)
def test_the_log_of_pyav_is_not_used(
    depth: Depth, two_seconds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread of a decoder that logs would wait for the thread that frees it, and that for it.

    About one of 2,000 files was refused for it, after 240 s.
    """
    monkeypatch.setattr(av.logging, "set_level", lambda level: pytest.fail(str(level)))
    assert read_media(two_seconds, depth=depth)["frames"] == 60
