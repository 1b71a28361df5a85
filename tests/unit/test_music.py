"""Where the music plays: from the timeline, in exact samples."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from clipmill.ffmpeg.music_mix import music_mix_args
from clipmill.protocol import MediaFacts, MusicMix
from clipmill.spec import CompilationSpec
from clipmill.spec.soundtrack import Music
from clipmill.timeline.build import MediaSource, Timeline, build_timeline
from clipmill.timeline.music_window import music_window, plan_music_mix

TRACK = MediaSource(
    "m-track",
    "7" * 64,
    MediaFacts(format="mp3", duration_us=7_000_000, audio_codec="mp3float", loudness_lufs=-9.5),
)
INTRO, OUTRO = {"intro": {"mediaId": "m-intro"}}, {"outro": {"mediaId": "m-outro"}}
HEAD = {"bumper": {"mediaId": "m-bump", "placement": "HeadStyle"}}
BETWEEN = {"bumper": {"mediaId": "m-bump"}}


def _timeline(**rest: Any) -> Timeline:
    """Build a timeline at 25 fps: clips of 4 s, intro 2 s, outro 3 s, bumper 1 s."""
    output = {"name": "main", "preset": "custom", "width": 128, "height": 72, "rate": 25}
    clips = [{"mediaId": "m-clip", "name": "a"}, {"mediaId": "m-clip", "name": "b"}]
    spec = CompilationSpec.model_validate({"clips": clips, "outputs": [output], **rest})
    lengths = {"m-clip": 4, "m-intro": 2, "m-outro": 3, "m-bump": 1}
    sources = {
        media_id: MediaSource(
            media_id,
            "1" * 64,
            MediaFacts(format="mov", duration_us=s * 1_000_000, width=64, height=64, frames=1),
        )
        for media_id, s in lengths.items()
    }
    return build_timeline(spec, spec.outputs[0], [sources["m-clip"]] * 2, sources)


def _music(**fields: Any) -> Music:
    return Music.model_validate({"mediaId": "m-track", **fields})


INSIDE = {"from": "AfterIntro", "until": "BeforeOutro"}
WINDOWS = [
    ({}, {}, (0, 200)),
    (INSIDE, {}, (0, 200)),
    ({}, INTRO | OUTRO, (0, 325)),
    (INSIDE, INTRO | OUTRO, (50, 250)),
    (INSIDE, INTRO | OUTRO | BETWEEN, (75, 300)),
    (INSIDE, INTRO | OUTRO | HEAD, (75, 300)),
    (INSIDE, HEAD, (0, 275)),
    ({"from": "AfterIntro"}, INTRO, (50, 250)),
]


@pytest.mark.parametrize(("fields", "rest", "expected"), WINDOWS)
def test_window(fields: dict[str, Any], rest: dict[str, Any], expected: tuple[int, int]) -> None:
    """The window, in frames, leaves out intro and outro with their bumpers, or nothing."""
    timeline = _timeline(**rest)
    window = music_window(_music(**fields), timeline.items, timeline.frames)
    assert window == expected


def test_mix_in_samples() -> None:
    """Level, window, fade and loop are converted to samples and hundredths of a decibel."""
    timeline = _timeline(**INTRO, **OUTRO)
    mix, note = plan_music_mix(_music(**INSIDE), timeline, TRACK, target_lufs=-14)
    assert mix is not None
    assert note is None
    assert (mix.start, mix.end, mix.fade) == (96_000, 480_000, 96_000)
    assert mix.gain_mb == -1200 - 450
    once, _ = plan_music_mix(_music(loop=False), _timeline(), TRACK, target_lufs=-14)
    assert once is not None
    assert (once.start, once.end) == (0, 336_000)


def test_a_note_for_an_empty_window() -> None:
    """Without frames between intro and outro there is no music, but a note."""
    timeline = _timeline(**INTRO, **OUTRO)
    intro, outro = timeline.items[0], timeline.items[-1].model_copy(update={"at": 50})
    short = replace(timeline, items=(intro, outro), frames=125)
    mix, note = plan_music_mix(_music(**INSIDE), short, TRACK, target_lufs=-14)
    assert mix is None
    assert note == (
        "music: left out: from AfterIntro (frame 50) is not before until BeforeOutro (frame 50)"
    )


REFUSED = [
    ({"gain": "-61dB"}, "gain -61dB is not between -60dB and 12dB"),
    ({"gain": "-6"}, "pattern"),
    ({"fadeOut": "31s"}, "fadeOut 31s is more than 30s"),
    ({"duck": {"depth": "-40dB"}}, "depth -40dB is not between -36dB and -1dB"),
    ({"duck": {"attack": "3s"}}, "attack 3s is not between 1ms and 2s"),
    ({"duck": {"threshold": "-61dB"}}, "threshold -61dB is not between -60dB and 0dB"),
    ({"duck": {"ratio": 21}}, "less than or equal to 20"),
    ({"from": "Middle"}, "AfterIntro"),
]


@pytest.mark.parametrize(("fields", "message"), REFUSED)
def test_refuses_with_field_value_and_rule(fields: dict[str, Any], message: str) -> None:
    """Settings that the mixer does not support are refused by the model."""
    with pytest.raises(ValidationError, match=message):
        _music(**fields)


def test_from_is_the_name_in_json() -> None:
    """`from` is a keyword of Python, so that the model has another name for it."""
    spec = {"clips": [{"mediaId": "m-clip"}], "music": {"mediaId": "m-track", "from": "AfterIntro"}}
    dumped = CompilationSpec.model_validate(spec).model_dump(by_alias=True, exclude_defaults=True)
    assert dumped["music"]["from"] == "AfterIntro"


def test_graph_holds_no_path_and_no_text() -> None:
    """Paths are arguments of their own; the graph holds numbers only."""
    mix, _ = plan_music_mix(_music(), _timeline(), TRACK, target_lufs=-14)
    assert isinstance(mix, MusicMix)
    args = music_mix_args(mix, "/s/p.f32", "/s/m.f32", "/s/o.f32", samples=100)
    assert "/s/" not in args[args.index("-filter_complex") + 1]
    assert args.count("-stream_loop") == 1
