"""Audio of the finished file: levels of each section, joins, and synchronization."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import clipmaker
import levels
from clipmill.protocol import MediaKind
from finished import rendered
from harness import running
from levels import RATE, at, level_at
from studio import Studio, custom

PROGRAMME_HZ, MUSIC_HZ, BUMPER_HZ = 440, 1500, 3000
TINY = custom(64, 64)


def _tone(hertz: int, level: float = 0.1) -> str:
    return f"aevalsrc='{level}*sin(2*PI*{hertz}*t)|{level}*sin(2*PI*{hertz}*t)':s=48000"


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """An owner with a library."""
    with running(tmp_path_factory.mktemp("state")) as api:
        yield Studio(api, tmp_path_factory.mktemp("videos"))


@pytest.fixture(scope="module")
def library(studio: Studio, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Intro and outro without audio; clip, bumper and music, each with its own tone."""
    folder = tmp_path_factory.mktemp("clips")

    def clip(name: str, seconds: float, sound: str | None, kind: MediaKind) -> str:
        path = clipmaker.clip(folder / name, seconds=seconds, size="64x64", sound=sound)
        return studio.upload(path, kind)

    track = levels.track(folder / "track.flac", levels.tone(MUSIC_HZ, 3, level_db=-9))
    return {
        "intro": clip("intro.mp4", 2, None, MediaKind.INTRO),
        "outro": clip("outro.mp4", 2, None, MediaKind.OUTRO),
        "quiet": clip("quiet.mp4", 4, None, MediaKind.CLIP),
        "clip": clip("clip.mp4", 4, _tone(PROGRAMME_HZ), MediaKind.CLIP),
        "bumper": clip("bumper.mp4", 0.5, _tone(BUMPER_HZ), MediaKind.BUMPER),
        "music": studio.upload(track, MediaKind.MUSIC),
    }


def _spec(library: dict[str, str], **more: Any) -> dict[str, Any]:
    """Intro; bumper from 2 s; tone from 2.5; bumper from 6.5; silence from 7; bumper; outro."""
    return {
        "intro": {"mediaId": library["intro"]},
        "outro": {"mediaId": library["outro"]},
        "bumper": {"mediaId": library["bumper"]},
        "clips": [{"mediaId": library["clip"]}, {"mediaId": library["quiet"]}],
        "outputs": [TINY],
        **more,
    }


def _audio(studio: Studio, spec: dict[str, Any], folder: Path) -> levels.Sound:
    result = rendered(studio, folder, spec)
    sound = levels.decoded(result.video)
    assert len(sound) == result.output.frames * RATE // 30, "exactly the samples of the frames"
    assert levels.loudness(sound) == pytest.approx(-14, abs=0.5)
    return sound


def test_each_section_has_its_sound(
    studio: Studio, library: dict[str, str], tmp_path: Path
) -> None:
    """Music starts after the intro, is ducked under the tone, and ends before the outro."""
    music = {"mediaId": library["music"], "from": "AfterIntro", "until": "BeforeOutro"}
    spec = _spec(library, music={**music, "duck": {"depth": "-20dB"}})
    mixed = _audio(studio, spec, tmp_path)
    assert len(mixed) == round(13.5 * RATE)
    tone, pause = (at(mixed, 3, 6), at(mixed, 8, 9))
    assert levels.loudness(tone) - levels.loudness(pause) == pytest.approx(12, abs=0.5)
    assert level_at(tone, MUSIC_HZ) - level_at(pause, MUSIC_HZ) == pytest.approx(-20, abs=1)
    assert level_at(pause, PROGRAMME_HZ) < -70
    assert level_at(at(mixed, 2.1, 2.4), BUMPER_HZ) > -30
    assert level_at(at(mixed, 6.6, 6.9), BUMPER_HZ) > -30
    for start, end in ((0.1, 1.9), (11.6, 13.4)):
        assert levels.rms_db(at(mixed, start, end)) < -70, "no music in intro and outro"
    # The pause fills the last second before the fade ends: half level a second before the end.
    fade = level_at(at(mixed, 9.9, 10.1), MUSIC_HZ) - level_at(pause, MUSIC_HZ)
    assert fade == pytest.approx(-6, abs=1.5)
    assert levels.rms_db(at(mixed, 10.98, 11)) < -40


def test_the_programme_keeps_its_level(
    studio: Studio, library: dict[str, str], tmp_path: Path
) -> None:
    """Within a tenth of a decibel, with music and without."""
    music = {"mediaId": library["music"], "gain": "-18dB"}
    found = [
        at(_audio(studio, _spec(library, **more), tmp_path / str(i)), 3, 6)
        for i, more in enumerate(({}, {"music": music}))
    ]
    plain, mixed = (level_at(sound, PROGRAMME_HZ) for sound in found)
    assert mixed == pytest.approx(plain, abs=0.1)
    assert level_at(found[0], MUSIC_HZ) < level_at(found[1], MUSIC_HZ) - 10


def test_music_alone(studio: Studio, library: dict[str, str], tmp_path: Path) -> None:
    """Without other audio the music loops at the target loudness."""
    spec = {
        "clips": [{"mediaId": library["quiet"]}],
        "music": {"mediaId": library["music"], "fadeOut": "0s"},
        "outputs": [TINY],
    }
    sound = _audio(studio, spec, tmp_path)
    steps = [levels.rms_db(at(sound, i / 10, (i + 1) / 10)) for i in range(1, 39)]
    assert max(steps) - min(steps) < 0.3, "no gap where the track loops"


def test_every_join_is_seamless(studio: Studio, tmp_path: Path) -> None:
    """One source cut into seven clips: each frame once, the tone continuous."""
    source = clipmaker.clip(
        tmp_path / "a.mkv",
        seconds=7,
        picture=clipmaker.counter(),
        sound=_tone(1000),
        extra=("-c:a", "flac", "-g", "41"),
    )
    media_id = studio.upload(source)
    edges = [0, 7, 38, 39, 90, 121, 180, 209]
    clips = [
        {"mediaId": media_id, "start": f"{a / 30:.6f}s", "end": f"{b / 30:.6f}s"}
        for a, b in pairwise(edges)
    ]
    found = rendered(studio, tmp_path / "out", {"clips": clips, "outputs": [custom()]})
    assert found.output.segments.total == 7
    assert clipmaker.frame_numbers(found.video) == list(range(209))
    sound = levels.decoded(found.video)
    assert len(sound) == 209 * 1600
    inside = at(sound, 0.1, 6.8)
    t = np.arange(len(inside)) / RATE
    basis = np.stack([np.sin(2 * np.pi * 1000 * t), np.cos(2 * np.pi * 1000 * t)], axis=1)
    weights, *_ = np.linalg.lstsq(basis, inside[:, 0], rcond=None)
    rest = inside[:, :1] - (basis @ weights)[:, None]
    assert levels.rms_db(rest) < levels.rms_db(inside) - 45, "a click would be broadband noise"


FLASH = "color,drawbox=color=white:t=fill:enable='lt(mod(t+5,10),0.1)'"
BEEP = "aevalsrc='if(lt(mod(t+5,10),0.1),sin(2*PI*1000*t)/4,0)':s=48000"


def test_audio_stays_in_sync_for_three_minutes(studio: Studio, tmp_path: Path) -> None:
    """Each flash and its beep are less than a frame apart, from start to end."""
    clips = []
    for rate in ("24", "30000/1001", "60"):
        path = tmp_path / f"{rate.replace('/', '-')}.mp4"
        options = {"seconds": 60, "size": "64x64", "picture": FLASH, "sound": BEEP}
        clips.append({"mediaId": studio.upload(clipmaker.clip(path, rate=rate, **options))})  # type: ignore[arg-type]
    found = rendered(studio, tmp_path / "out", {"clips": clips, "outputs": [TINY]})
    assert found.output.frames == 5400
    frames = clipmaker.frames(found.video)
    bright = np.array([clipmaker.luma(frame, 32, 32) > 125 for frame in frames])
    flashes = np.nonzero(bright[1:] & ~bright[:-1])[0] + 1
    loud = np.abs(levels.decoded(found.video)[:, 0]) > 0.05
    quiet_before = np.convolve(loud, np.ones(4800), "full")[: len(loud)] - loud
    beeps = np.nonzero(loud & (quiet_before == 0))[0]
    assert len(flashes) == len(beeps) == 18
    assert np.max(np.abs(flashes / 30 - beeps / RATE)) < 1 / 30


LAYOUTS = [("mono.mp4", "1", 0.15), ("stereo.mp4", "2", 0.6), ("surround.mp4", "6", 0.2)]


def test_clips_have_the_same_loudness(studio: Studio, tmp_path: Path) -> None:
    """Mono, stereo and 5.1, quiet and loud, at the target loudness."""
    clips = []
    for name, channels, amplitude in LAYOUTS:
        noise = f"anoisesrc=r=48000:a={amplitude}:c=pink:seed=3"
        path = clipmaker.clip(
            tmp_path / name, seconds=3, size="64x64", sound=noise, extra=("-ac", channels)
        )
        clips.append({"mediaId": studio.upload(path)})
    sound = _audio(studio, {"clips": clips, "outputs": [TINY]}, tmp_path / "out")
    heard = [levels.loudness(at(sound, 3 * i + 0.2, 3 * i + 2.8)) for i in range(3)]
    assert heard == pytest.approx([-14] * 3, abs=0.7)
    assert levels.true_peak_db(sound) <= -0.9
