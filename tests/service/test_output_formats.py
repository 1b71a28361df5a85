"""Finished files by preset, container, size limit, tier and quality."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

import clipmaker
from clipmill.protocol import CompilationState
from clipmill.spec import PreviewExtent
from clipmill.timeline.presets import PRESETS
from clipmill_client.errors import PermanentError
from harness import Harness, running
from studio import Studio, custom

BEEP = "aevalsrc='if(lt(mod(t,1),0.1),sin(2*PI*1000*t)/4,0)':s=48000"


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """Start an API for these tests."""
    with running(tmp_path_factory.mktemp("state")) as harness:
        yield harness


@pytest.fixture(scope="module")
def studio(local: Harness, tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """Return an owner without limits."""
    return Studio(local, tmp_path_factory.mktemp("out"))


@pytest.fixture(scope="module")
def counted(studio: Studio) -> str:
    """Upload a clip of 3 s that shows its frame number."""
    path = clipmaker.clip(
        studio.folder / "counter.mp4", seconds=3, picture=clipmaker.counter(), sound=BEEP
    )
    return studio.upload(path)


def facts(path: Path) -> dict[str, Any]:
    """Return format, codecs, size and frame rate."""
    with av.open(str(path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        return {
            "format": container.format.name.split(",")[0],
            "codecs": (video.codec_context.name, audio.codec_context.name),
            "size": (video.codec_context.width, video.codec_context.height),
            "rate": video.average_rate,
        }


def test_a_webm_is_vp9_and_opus(studio: Studio, counted: str) -> None:
    """Codecs, the order of frames around a transition, and the audio are as planned."""
    clips: list[dict[str, Any]] = [
        {"mediaId": counted, "end": "1s"},
        {"mediaId": counted, "start": "1s", "transition": {"type": "Fade", "duration": "200ms"}},
    ]
    path = studio.video({"clips": clips, "outputs": [custom(container="webm")]})
    properties = facts(path)
    assert properties["format"] == "matroska"
    assert properties["codecs"] == ("vp9", "opus")
    assert properties["size"] == (320, 180)
    times = clipmaker.frame_times(path)
    assert len(times) == 84
    assert all(abs(time - Fraction(i, 30)) < Fraction(1, 900) for i, time in enumerate(times))
    assert clipmaker.frame_numbers(path)[:24] == list(range(24))
    assert clipmaker.frame_numbers(path)[30:] == [number % 256 for number in range(36, 90)]
    samples = clipmaker.samples(path)
    assert abs(len(samples) / 48000 - 84 / 30) < 0.025
    beeps = [i for i in range(1, len(samples)) if abs(samples[i]) > 0.05]
    assert beeps[0] / 48000 < 0.03


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_applied(preset: str, studio: Studio, counted: str) -> None:
    """Size and frame rate of the finished file are those of the platform."""
    expected = PRESETS[preset]
    spec = {
        "clips": [{"mediaId": counted, "end": "200ms"}],
        "outputs": [{"name": "main", "preset": preset}],
    }
    path = studio.video(spec)
    properties = facts(path)
    assert properties["codecs"] == ("h264", "aac")
    assert properties["size"] == (expected.width, expected.height)
    assert properties["rate"] == expected.rate
    assert len(clipmaker.frame_times(path)) == expected.rate // 5


def test_a_file_is_within_its_size_limit(studio: Studio) -> None:
    """Noise of 4 Mbit/s is encoded to at most 200 kB."""
    noise = "nullsrc,geq=random(1)*255:128:128"
    media = studio.upload(clipmaker.clip(studio.folder / "noise.mp4", seconds=3, picture=noise))
    unlimited = studio.video({"clips": [{"mediaId": media}], "outputs": [custom()]})
    limited = studio.video({"clips": [{"mediaId": media}], "outputs": [custom(maxBytes=200_000)]})
    assert unlimited.stat().st_size > 400_000
    assert 100_000 < limited.stat().st_size <= 200_000
    assert len(clipmaker.frame_times(limited)) == 90


def test_a_size_limit_that_is_too_small_is_refused(studio: Studio, counted: str) -> None:
    """The refusal names the length and the smallest size possible."""
    clips = [{"mediaId": counted, "name": f"c{i}"} for i in range(10)]
    with pytest.raises(PermanentError, match=r"maxBytes 100000 for 30.0s .* at least \d+ bytes"):
        studio.render({"clips": clips, "outputs": [custom(maxBytes=100_000)]})


LIMITS = [
    ("youtube_shorts", "720p", (720, 1280)),
    ("instagram_feed", "720p", (720, 720)),
    ("youtube", "720p", (1280, 720)),
    ("youtube", "2160p", (1920, 1080)),
]


@pytest.mark.parametrize(("preset", "resolution", "size"), LIMITS)
def test_a_tier_keeps_the_orientation(
    preset: str, resolution: str, size: tuple[int, int], local: Harness, tmp_path: Path
) -> None:
    """The tier scales both sides by one factor, and the plan has a note."""
    limited = Studio(local, tmp_path, max_resolution=resolution, max_fps=24)
    media = limited.upload(clipmaker.clip(tmp_path / "a.mp4", seconds=0.5))
    spec = {"clips": [{"mediaId": media}], "outputs": [{"name": "main", "preset": preset}]}
    properties = facts(limited.video(spec))
    assert (properties["size"], properties["rate"]) == (size, 24)
    uid, plan = local.register(limited.owner, spec)
    assert uid
    platform = PRESETS[preset]
    notes = [f"main: rate {platform.rate} limited to at most 24 by the tier {limited.owner}"]
    if size != (platform.width, platform.height):
        before, after = f"{platform.width}x{platform.height}", f"{size[0]}x{size[1]}"
        notes.insert(0, f"main: size {before} limited to {after} by the tier {limited.owner}")
    assert [note for note in plan.outputs[0].notes if note.startswith("main: ")] == notes


@pytest.mark.parametrize("policy", ["Skip", "Fail", "Placeholder"])
def test_clips_beyond_the_tiers_limit_are_skipped(
    policy: str, local: Harness, tmp_path: Path
) -> None:
    """Two of three clips are rendered; the third is skipped by a reason, whatever onClipError."""
    limited = Studio(local, tmp_path, max_clips=2)
    media = limited.upload(clipmaker.clip(tmp_path / "a.mp4", seconds=0.5))
    clips = [{"mediaId": media, "name": name} for name in ("one", "two", "three")]
    view = limited.render({"clips": clips, "onClipError": policy})
    assert view.state is CompilationState.SUCCEEDED
    assert view.degraded
    assert view.outputs[0].frames == 30
    assert [(clip.name, clip.state, clip.reason) for clip in view.clips] == [
        ("one", "Ready", None),
        ("two", "Ready", None),
        ("three", "Skipped", "TierLimit"),
    ]
    assert limited.owner in str(view.clips[2].message)
    with pytest.raises(PermanentError, match=r"minimumClips"):
        limited.render({"clips": clips, "minimumClips": 3})


def test_a_draft_is_small_and_takes_no_quota(local: Harness, tmp_path: Path) -> None:
    """A draft has 480 lines at 15 fps, the first 4 s of each clip, and takes no render time."""
    limited = Studio(local, tmp_path, render_limit_seconds=0)
    media = limited.upload(clipmaker.clip(tmp_path / "a.mp4", seconds=5))
    clips = [{"mediaId": media}, {"mediaId": media, "start": "3s", "name": "b"}]
    outputs = [{"name": "main", "preset": "youtube"}, {"name": "tall", "preset": "tiktok"}]
    spec = {"clips": clips, "outputs": outputs, "quality": "Draft", "preview": "FirstSeconds"}
    view = limited.render(spec)
    assert view.state is CompilationState.SUCCEEDED, view.message
    path = limited.video(spec)
    assert facts(path)["size"] == (854, 480)
    assert facts(path)["rate"] == 15
    assert len(clipmaker.frame_times(path)) == 60 + 30
    assert facts(limited.video(spec, "tall"))["size"] == (480, 854)
    sql = "SELECT seconds FROM render_usage WHERE compilation_id = :c"
    assert local.rows(sql, c=view.id) == [{"seconds": 0}]


def test_a_preview_is_a_draft_of_its_own(local: Harness, tmp_path: Path) -> None:
    """A preview takes no quota; equal requests return the same draft."""
    owner = Studio(local, tmp_path)
    media = owner.upload(clipmaker.clip(tmp_path / "a.mp4", seconds=5))
    view = owner.render({"clips": [{"mediaId": media}], "outputs": [custom(640, 360)]})
    draft = owner.user.preview(view.id, PreviewExtent.FIRST_SECONDS)
    assert (draft.name, draft.state) == ("test-preview", CompilationState.RENDERING)
    assert owner.user.plan(draft.id).outputs[0].frames == 60
    assert owner.user.plan(draft.id).quota.estimated_seconds == 0
    assert owner.user.preview(view.id, PreviewExtent.FIRST_SECONDS).id == draft.id
    whole = owner.user.preview(view.id, PreviewExtent.WHOLE)
    assert whole.id != draft.id
    assert owner.user.plan(whole.id).outputs[0].frames == 75
