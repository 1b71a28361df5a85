"""Sound that is encoded in stretches: without a border, exact to the sample, and used again."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

import clipmaker
import levels
from clipmill.ffmpeg.music_mix import music_mix_args
from clipmill.protocol import MusicMix, OutputAssignment, Profile, Segment, SourceRange
from clipmill.sound.sound_stretches import (
    FRAME_SAMPLES,
    LEAD_FRAMES,
    STRETCH_FRAMES,
    ducking_memory,
    sound_stretches,
)
from clipmill.spec.soundtrack import Ducking
from clipmill_job.assembling.programme_audio import encode_programme
from clipmill_job.assembling.programme_sound import RawSound
from clipmill_job.ffmpeg_binary import find_ffmpeg
from clipmill_job.task_context import TaskContext
from levels import RATE, Sound

PROFILE = Profile(width=64, height=64, rate=30, crf=30, speed="ultrafast", max_bitrate=10**6)
BORDER = STRETCH_FRAMES * FRAME_SAMPLES
SECONDS = 3 * BORDER / RATE


def _output(sound: Sound, **fields: Any) -> OutputAssignment:
    frames = len(sound) * PROFILE.rate // RATE
    black = SourceRange(
        media_id=None, sha256="", format="", has_audio=False, start=0, frames=frames
    )
    segment = Segment(key="0" * 64, sources=[black], profile=PROFILE)
    target = {"loudness_lufs": -14.0, "true_peak_dbtp": -1.0} | fields
    return OutputAssignment(name="main", segments=[segment], **target)


def _encoded(sound: Sound, folder: Path, **fields: Any) -> Sound:
    output = _output(sound, **fields)
    context = TaskContext(
        client=cast(Any, None),
        assignment=cast(Any, SimpleNamespace(assemble=[])),
        heartbeat=cast(Any, SimpleNamespace(check=lambda: None)),
        scratch=folder,
        ffmpeg=find_ffmpeg(),
    )
    raw = RawSound(context, levels.write(folder / "programme.f32", sound), output.name)
    audio = encode_programme(context, output, raw, folder)
    return levels.decoded(audio.path)


def _whole(sound: Sound, folder: Path, gain_db: float, *filters: str) -> Sound:
    """Return the sound encoded as a whole at a gain."""
    raw, out = levels.write(folder / "whole.f32", sound), folder / "whole.m4a"
    form = ("-f", "f32le", "-ar", str(RATE), "-ch_layout", "stereo", "-i", str(raw))
    chain = ",".join([f"volume={gain_db:.2f}dB:precision=double", *filters])
    codec = ("-c:a", "aac", "-aac_coder", "fast", "-cutoff", "20000", "-b:a", "192k")
    clipmaker.ffmpeg(*form, "-af", chain, *codec, str(out))
    return levels.decoded(out)


def _tones(seconds: float) -> Sound:
    return levels.tone(440, seconds, level_db=-14) + levels.tone(3011, seconds, level_db=-30)


def _hits(seconds: float) -> Sound:
    """Return tones with hits of noise, some of them on the borders: short blocks of the encoder."""
    sound, hit = _tones(seconds), levels.noise(0.01, level_db=-24)
    places = [
        *range(0, len(sound) - RATE, RATE // 9),
        BORDER - 600,
        BORDER + 100,
        2 * BORDER - 1024,
    ]
    for at in places:
        sound[at : at + len(hit)] += hit
    return sound


SOUNDS = {"tones": _tones, "hits": _hits, "noise": lambda s: levels.noise(s, level_db=-24)}


def _error_db(one: Sound, other: Sound, at: int) -> float:
    """Return the level of the difference of two sounds, two frames around a sample."""
    near = slice(at - 2 * FRAME_SAMPLES, at + 2 * FRAME_SAMPLES)
    return levels.rms_db(one[near] - other[near])


def test_a_border_is_at_each_stretch() -> None:
    """Three stretches, the last one with the rest; the first alone has no lead."""
    stretches = sound_stretches(_output(levels.silence(3.5 * BORDER / RATE)))
    assert [stretch.first for stretch in stretches] == [0, STRETCH_FRAMES, 2 * STRETCH_FRAMES]
    leads = [stretch.lead_samples for stretch in stretches]
    assert leads == [0, LEAD_FRAMES * FRAME_SAMPLES, LEAD_FRAMES * FRAME_SAMPLES]
    assert sum(stretch.samples for stretch in stretches) == round(3.5 * BORDER)


@pytest.mark.parametrize("name", SOUNDS)
def test_no_border_is_measurable(name: str, tmp_path: Path) -> None:
    """Around each border the sound is as near to the original as as a whole, and as long."""
    sound = SOUNDS[name](SECONDS)
    encoded = _encoded(sound, tmp_path)
    assert len(encoded) == len(sound)
    gain_db = round(levels.rms_db(encoded) - levels.rms_db(sound), 1)
    whole = _whole(sound, tmp_path, gain_db)
    original = sound * np.float32(10 ** (gain_db / 20))
    for border in (BORDER, 2 * BORDER):
        assert _error_db(encoded, original, border) < _error_db(whole, original, border) + 1
        elsewhere = _error_db(encoded, original, border + 50 * FRAME_SAMPLES)
        if name != "hits":
            assert _error_db(encoded, original, border) < elsewhere + 1.5


def test_no_click_where_the_limiter_begins(tmp_path: Path) -> None:
    """A stretch with a limiter after one without: peaks are limited, the border is not heard."""
    sound = _tones(SECONDS)
    for at in (BORDER + 50, BORDER + RATE):
        sound[at : at + 4] = 1.0
    encoded = _encoded(sound, tmp_path)
    assert levels.true_peak_db(encoded) <= -0.9
    before = encoded[BORDER - 8 * FRAME_SAMPLES : BORDER - 2 * FRAME_SAMPLES]
    across = encoded[BORDER - 2 * FRAME_SAMPLES : BORDER - 400]
    assert np.max(np.abs(np.diff(across[:, 0]))) < 1.05 * np.max(np.abs(np.diff(before[:, 0])))
    middle = levels.at(encoded, 2.2 * BORDER / RATE, 2.8 * BORDER / RATE)
    first = levels.at(encoded, 0.2 * BORDER / RATE, 0.8 * BORDER / RATE)
    assert levels.rms_db(middle) == pytest.approx(levels.rms_db(first), abs=0.05)


def test_keys_name_what_is_heard() -> None:
    """The key of a stretch changes with its segments and their place, not with its gain."""
    sound = levels.silence(SECONDS)
    keys = [s.key for s in sound_stretches(_output(sound))]
    assert len(set(keys)) == len(keys)
    louder = [s.key for s in sound_stretches(_output(sound, loudness_lufs=-20.0))]
    assert louder == keys
    limited = [s.key for s in sound_stretches(_output(sound, true_peak_dbtp=-3.0))]
    assert not set(limited) & set(keys)


def _with_music(order: str, *, end_s: int | None = None) -> OutputAssignment:
    """Return an output of a segment of 5 s for each letter, with music to its end."""
    form, seconds = _output(levels.silence(5)).segments[0], 5 * len(order)
    segments = [form.model_copy(update={"key": letter * 64}) for letter in order]
    end = (end_s or seconds) * RATE
    music = MusicMix(
        media_id="m-abcd", sha256="0", format="wav", gain_mb=-600, start=0, end=end, loop=True,
        fade=2 * RATE, duck=Ducking(),
    )  # fmt: skip
    return _output(levels.silence(seconds), music=music).model_copy(update={"segments": segments})


def test_music_is_encoded_again_only_where_another_sound_lowers_it() -> None:
    """After two swapped clips the sound is that of before, also at the end of a longer output."""
    before = [s.key for s in sound_stretches(_with_music("abcdefghijklmnopqrst"))]
    swapped = [s.key for s in sound_stretches(_with_music("abcdefhgijklmnopqrst"))]
    assert [one == other for one, other in zip(before, swapped, strict=True)] == [
        *(True, False, True, True),
    ]
    longer = [s.key for s in sound_stretches(_with_music("abcdefghijklmnopqrstuv"))]
    assert [one == other for one, other in zip(before, longer, strict=True)] == [
        *(True, True, True, False),
    ]


@pytest.mark.parametrize(
    "duck", [Ducking(), Ducking(depth="-12dB"), Ducking(attack="100ms", release="1s")]
)
def test_ducking_forgets_what_it_has_heard(duck: Ducking, tmp_path: Path) -> None:
    """The mix is equal to the sample once the memory that keys count with has passed."""
    seconds, changed = 16, slice(RATE, 2 * RATE)
    quiet = levels.noise(seconds, level_db=-60)
    quiet[8 * RATE :: RATE] += np.float32(0.1)
    loud = quiet.copy()
    loud[changed] += levels.tone(440, 1, level_db=-6)
    track = levels.write(tmp_path / "track.f32", levels.tone(220, seconds, level_db=-20))
    mix = _with_music("abcd").music
    assert mix
    mix = mix.model_copy(update={"duck": duck, "fade": 0, "end": seconds * RATE})
    mixes = []
    for name, programme in (("quiet", quiet), ("loud", loud)):
        raw = levels.write(tmp_path / f"{name}.f32", programme)
        out = tmp_path / f"{name}-mix.f32"
        args = music_mix_args(mix, str(raw), str(track), str(out), samples=len(programme))
        subprocess.run((find_ffmpeg().path, *args), check=True, capture_output=True)
        mixes.append(np.fromfile(out, np.float32).reshape(-1, 2))
    assert not np.array_equal(mixes[0][2 * RATE :][:100], mixes[1][2 * RATE :][:100])
    after = 2 * RATE + ducking_memory(duck)
    assert np.array_equal(mixes[0][after:], mixes[1][after:])
