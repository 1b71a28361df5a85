"""Finished files in every form: presets, WebM, a size cap, the tier's limits, drafts."""

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
    """An API for these tests."""
    with running(tmp_path_factory.mktemp("state")) as harness:
        yield harness


@pytest.fixture(scope="module")
def studio(local: Harness, tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """An owner without limits."""
    return Studio(local, tmp_path_factory.mktemp("out"))


@pytest.fixture(scope="module")
def counted(studio: Studio) -> str:
    """A clip of 3 s that shows its frame number."""
    path = clipmaker.clip(
        studio.folder / "counter.mp4", seconds=3, picture=clipmaker.counter(), sound=BEEP
    )
    return studio.upload(path)


def facts(path: Path) -> dict[str, Any]:
    """Codec, size and rate of both streams."""
    with av.open(str(path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        return {
            "format": container.format.name.split(",")[0],
            "codecs": (video.codec_context.name, audio.codec_context.name),
            "size": (video.codec_context.width, video.codec_context.height),
            "rate": video.average_rate,
        }


def test_a_webm_is_vp9_and_opus(studio: Studio, counted: str) -> None:
    """Truly encoded as such, a seam in it, every frame in its place, the sound with it."""
    clips: list[dict[str, Any]] = [
        {"mediaId": counted, "end": "1s"},
        {"mediaId": counted, "start": "1s", "transition": {"type": "Fade", "duration": "200ms"}},
    ]
    path = studio.video({"clips": clips, "outputs": [custom(container="webm")]})
    found = facts(path)
    assert found["format"] == "matroska"
    assert found["codecs"] == ("vp9", "opus")
    assert found["size"] == (320, 180)
    times = clipmaker.frame_times(path)
    assert len(times) == 84
    assert all(abs(when - Fraction(i, 30)) < Fraction(1, 900) for i, when in enumerate(times))
    assert clipmaker.numbers(path)[:24] == list(range(24))
    assert clipmaker.numbers(path)[30:] == [number % 256 for number in range(36, 90)]
    heard = clipmaker.samples(path)
    assert abs(len(heard) / 48000 - 84 / 30) < 0.025
    beeps = [i for i in range(1, len(heard)) if abs(heard[i]) > 0.05]
    assert beeps[0] / 48000 < 0.03


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_really_applied(preset: str, studio: Studio, counted: str) -> None:
    """Size and rate of the finished file are the platform's; the ceiling is in the profile."""
    wanted = PRESETS[preset]
    spec = {
        "clips": [{"mediaId": counted, "end": "200ms"}],
        "outputs": [{"name": "main", "preset": preset}],
    }
    path = studio.video(spec)
    found = facts(path)
    assert found["codecs"] == ("h264", "aac")
    assert found["size"] == (wanted.width, wanted.height)
    assert found["rate"] == wanted.rate
    assert len(clipmaker.frame_times(path)) == wanted.rate // 5


def test_a_file_is_not_larger_than_it_may_be(studio: Studio) -> None:
    """Noise that would take 4 Mbit/s fits into 200 kB, whatever it takes."""
    noise = "nullsrc,geq=random(1)*255:128:128"
    media = studio.upload(clipmaker.clip(studio.folder / "noise.mp4", seconds=3, picture=noise))
    free = studio.video({"clips": [{"mediaId": media}], "outputs": [custom()]})
    capped = studio.video({"clips": [{"mediaId": media}], "outputs": [custom(maxBytes=200_000)]})
    assert free.stat().st_size > 400_000
    assert 100_000 < capped.stat().st_size <= 200_000
    assert len(clipmaker.frame_times(capped)) == 90


def test_a_size_that_cannot_be_had_is_refused(studio: Studio, counted: str) -> None:
    """The refusal says length, rate and the least size."""
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
    """The cap scales both sides by one factor, and the plan says so."""
    limited = Studio(local, tmp_path, max_resolution=resolution, max_fps=24)
    media = limited.upload(clipmaker.clip(tmp_path / "a.mp4", seconds=0.5))
    spec = {"clips": [{"mediaId": media}], "outputs": [{"name": "main", "preset": preset}]}
    found = facts(limited.video(spec))
    assert (found["size"], found["rate"]) == (size, 24)
    uid, plan = local.register(limited.owner, spec)
    assert uid
    wanted = PRESETS[preset]
    said = [f"main: rate {wanted.rate} limited to at most 24 by the tier {limited.owner}"]
    if size != (wanted.width, wanted.height):
        was, now = f"{wanted.width}x{wanted.height}", f"{size[0]}x{size[1]}"
        said.insert(0, f"main: size {was} limited to {now} by the tier {limited.owner}")
    assert [note for note in plan.outputs[0].notes if note.startswith("main: ")] == said


@pytest.mark.parametrize("policy", ["Skip", "Fail", "Placeholder"])
def test_a_clip_cap_names_what_it_drops(policy: str, local: Harness, tmp_path: Path) -> None:
    """The first two of three are rendered; the third is skipped with a reason, and no failure."""
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
    assert view.clips[2].message == f"clip 3 of 3: the tier {limited.owner} allows 2 clips"
    with pytest.raises(PermanentError, match=r"spec\.minimumClips is 3, but the tier"):
        limited.render({"clips": clips, "minimumClips": 3})


def test_a_draft_is_small_and_free(local: Harness, tmp_path: Path) -> None:
    """480 lines, 15 fps, the first 4 s of each clip, and nothing of the render time."""
    poor = Studio(local, tmp_path, render_limit_seconds=0)
    media = poor.upload(clipmaker.clip(tmp_path / "a.mp4", seconds=5))
    clips = [{"mediaId": media}, {"mediaId": media, "start": "3s", "name": "b"}]
    wide = [{"name": "main", "preset": "youtube"}, {"name": "tall", "preset": "tiktok"}]
    spec = {"clips": clips, "outputs": wide, "quality": "Draft", "preview": "FirstSeconds"}
    view = poor.render(spec)
    assert view.state is CompilationState.SUCCEEDED, view.message
    path = poor.video(spec)
    assert facts(path)["size"] == (854, 480)
    assert facts(path)["rate"] == 15
    assert len(clipmaker.frame_times(path)) == 60 + 30
    assert facts(poor.video(spec, "tall"))["size"] == (480, 854)
    sql = "SELECT seconds FROM render_usage WHERE compilation_id = :c"
    assert local.rows(sql, c=view.id) == [{"seconds": 0}]


def test_a_preview_is_a_draft_beside_it(local: Harness, tmp_path: Path) -> None:
    """The first seconds by default, free, the same one when asked again, another after an edit."""
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
