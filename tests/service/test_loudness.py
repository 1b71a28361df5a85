"""Loudness and true peak of the finished audio, measured independently of ffmpeg."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

import levels
from clipmill.protocol import OutputAssignment, Profile, Segment, SourceRange
from clipmill.protocol.encoding_profile import Encoder
from clipmill_job.assembling.programme_audio import encode_programme
from clipmill_job.assembling.programme_sound import RawSound
from clipmill_job.ffmpeg_binary import find_ffmpeg
from clipmill_job.task_context import TaskContext
from levels import RATE, Sound

TARGET, PEAK = -14.0, -1.0


def _speech(seconds: float, level_db: float) -> Sound:
    """Return bursts of noise with pauses, like speech."""
    t = np.arange(round(seconds * RATE)) / RATE
    speaks = (np.sin(2 * np.pi * 0.7 * t) > -0.3).astype(np.float32)[:, None]
    return levels.noise(seconds, level_db=level_db) * speaks


def _clicks(seconds: float) -> Sound:
    """Return quiet noise with single samples at full level, the worst case of a limiter."""
    sound = levels.noise(seconds, level_db=-32)
    sound[:: RATE // 7] = 1.0
    return sound


def _between_samples(seconds: float) -> Sound:
    """Return a tone at a quarter of the sample rate, with true peaks 3 dB above all samples."""
    n = np.arange(round(seconds * RATE))
    mono = (0.9 * np.sin(np.pi / 2 * n + np.pi / 4)).astype(np.float32)
    return np.stack([mono, mono], axis=1)


SOUNDS: dict[str, Sound] = {
    "noise": levels.noise(6, level_db=-20),
    "speech": _speech(8, -24),
    "a tone": levels.tone(997, 6, level_db=-18),
    "very quiet": _speech(6, -40),
    "very loud": np.clip(levels.noise(6, level_db=3), -1, 1).astype(np.float32),
    "beyond full level": levels.noise(6, level_db=6),
    "clicks": _clicks(6),
    "peaks between samples": _between_samples(6),
    "half of it silent": np.concatenate([levels.noise(5, level_db=-30), levels.silence(5)]),
    "loud after quiet": np.concatenate(
        [levels.noise(5, level_db=-45), levels.noise(5, level_db=-12)]
    ),
}


def _encoded(
    sound: Sound, folder: Path, encoder: Encoder = "libx264", **fields: Any
) -> tuple[Sound, float | None]:
    profile = Profile(
        width=64, height=64, rate=30, crf=30, speed="ultrafast", max_bitrate=10**6, encoder=encoder
    )
    black = SourceRange(media_id=None, sha256="", format="", has_audio=False, start=0, frames=1)
    black = black.model_copy(update={"frames": -(-len(sound) * profile.rate // RATE)})
    segment = Segment(key="0" * 64, sources=[black], profile=profile)
    raw = levels.write(folder / "programme.f32", sound)
    output = OutputAssignment(
        name="main",
        segments=[segment],
        **({"loudness_lufs": TARGET, "true_peak_dbtp": PEAK} | fields),
    )
    context = TaskContext(
        client=cast(Any, None),
        assignment=cast(Any, None),
        heartbeat=cast(Any, SimpleNamespace(check=lambda: None)),
        scratch=folder,
        ffmpeg=find_ffmpeg(),
    )
    audio = encode_programme(context, output, RawSound(context, raw, output.name), folder)
    decoded = levels.decoded(audio.path)
    assert len(decoded) == len(sound), "the audio is exactly as long as the video"
    return decoded, audio.loudness.lufs


@pytest.mark.parametrize("name", SOUNDS)
def test_loudness_and_peak(name: str, tmp_path: Path) -> None:
    """Loudness is within 0.5 LU, the true peak within its limit, and the report agrees."""
    audio, reported = _encoded(SOUNDS[name], tmp_path)
    measured = levels.loudness(audio)
    assert measured == pytest.approx(TARGET, abs=0.5)
    assert reported == pytest.approx(measured, abs=0.2)
    assert levels.true_peak_db(audio) <= PEAK + 0.1


@pytest.mark.parametrize("name", ["speech", "clicks"])
def test_opus(name: str, tmp_path: Path) -> None:
    """The audio of a WebM file has its loudness, too."""
    audio, _ = _encoded(SOUNDS[name], tmp_path, "libvpx-vp9")
    assert levels.loudness(audio) == pytest.approx(TARGET, abs=0.5)
    assert levels.true_peak_db(audio) <= PEAK + 0.1


@pytest.mark.parametrize(("target", "peak"), [(-23, -1), (-16, -1.5), (-11, -0.5), (-40, -9)])
def test_other_targets(target: float, peak: float, tmp_path: Path) -> None:
    """Targets of broadcast, podcasts, loud audio, and the lowest that is allowed."""
    fields = {"loudness_lufs": target, "true_peak_dbtp": peak}
    audio, _ = _encoded(SOUNDS["speech"], tmp_path, **fields)
    assert levels.loudness(audio) == pytest.approx(target, abs=0.5)
    assert levels.true_peak_db(audio) <= peak + 0.1


def test_silence_stays_silent(tmp_path: Path) -> None:
    """Silence has no gain."""
    audio, reported = _encoded(levels.silence(3), tmp_path)
    assert np.max(np.abs(audio)) == 0
    assert reported is None


def test_hiss_is_not_raised_to_full_level(tmp_path: Path) -> None:
    """Almost silent audio is raised by 30 dB at most."""
    audio, _ = _encoded(levels.noise(4, level_db=-66), tmp_path)
    assert levels.rms_db(audio) == pytest.approx(-36, abs=1.5)


@pytest.mark.parametrize("samples", [1600, 9600, 20_800])
def test_shorter_than_the_meters_window(samples: int, tmp_path: Path) -> None:
    """Audio of less than 0.4 s has no loudness; its peak and its length are right."""
    sound = levels.tone(997, 1, level_db=-18)[:samples]
    audio, _ = _encoded(sound, tmp_path)
    assert levels.true_peak_db(audio) <= PEAK + 0.1
