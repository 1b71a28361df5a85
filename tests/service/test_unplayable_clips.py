"""Clips that pass the prober and cannot be rendered are treated by onClipError."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from clipmaker import frames
from clipmill.protocol import (
    ClipState,
    CompilationState,
    CompilationView,
    ExitCode,
    MediaKind,
    Stage,
    TaskFailure,
    TaskResult,
    UnplayableClip,
)
from harness import Harness
from studio import Studio, run

FADE = {"type": "Fade", "duration": "500ms"}


@pytest.fixture
def studio(api: Harness, tmp_path: Path) -> Studio:
    """An owner with a library."""
    return Studio(api, tmp_path)


def damage(api: Harness, media_id: str) -> None:
    """Make a media file one that the prober has taken for another format."""
    row = api.rows("SELECT facts FROM media WHERE id = :id", id=media_id)[0]
    facts = row["facts"] if isinstance(row["facts"], dict) else json.loads(row["facts"])
    facts["format"] = "matroska"
    update = text("UPDATE media SET facts = :facts WHERE id = :id")
    api.ctx.db.write(
        lambda session: session.execute(update, {"facts": json.dumps(facts), "id": media_id})
    )


@pytest.fixture
def clips(studio: Studio, two_seconds: Path, three_seconds: Path) -> list[dict[str, Any]]:
    """A good clip, one that cannot be rendered, and the good one again."""
    good = studio.upload(two_seconds)
    bad = studio.upload(three_seconds)
    damage(studio.api, bad)
    return [
        {"name": "first", "mediaId": good},
        {"name": "bad", "mediaId": bad},
        {"name": "last", "mediaId": good},
    ]


def _render(studio: Studio, **spec: Any) -> tuple[list[int], CompilationView]:
    """Run assemble tasks until the end, as a Job does; return their exit codes."""
    uid, _ = studio.api.register(studio.owner, spec)
    codes: list[int] = []
    while studio.api.operator.plan(uid).state is CompilationState.RENDERING and len(codes) < 4:
        codes.append(run(studio.api, uid, Stage.ASSEMBLE))
    return codes, studio.api.operator.view(uid)


def _frame_count(studio: Studio, view: CompilationView) -> int:
    path = studio.folder / "video.mp4"
    studio.user.download_output(view.id, "main", path)
    return len(frames(path))


@pytest.mark.parametrize(("on_error", "count"), [("Skip", 120), ("Placeholder", 210)])
def test_the_others_play(
    on_error: str, count: int, studio: Studio, clips: list[dict[str, Any]]
) -> None:
    """The second attempt is planned without the clip, which is named with the reason."""
    codes, view = _render(studio, clips=clips, onClipError=on_error)
    assert (codes, view.state) == ([ExitCode.RETRY, ExitCode.OK], CompilationState.SUCCEEDED)
    bad = view.clips[1]
    assert (bad.state, bad.reason, view.degraded) == (ClipState.SKIPPED, "Unplayable", True)
    assert "ffmpeg" in str(bad.message)
    assert any("clip bad" in line for line in view.log)
    assert _frame_count(studio, view) == count
    assert studio.user.account().render_used_seconds == count // 30


def test_it_fails_where_it_shall(studio: Studio, clips: list[dict[str, Any]]) -> None:
    """After one attempt; the reservation is released."""
    codes, view = _render(studio, clips=clips, onClipError="Fail")
    assert (codes, view.state) == ([ExitCode.RETRY], CompilationState.FAILED)
    assert view.reason == "ClipFailed"
    assert "bad" in str(view.message)
    assert studio.user.account().render_reserved_seconds == 0


def test_too_few_clips_are_left(studio: Studio, clips: list[dict[str, Any]]) -> None:
    """As with clips that cannot be fetched."""
    codes, view = _render(studio, clips=clips, minimumClips=3)
    assert (codes, view.reason) == ([ExitCode.RETRY], "TooFewClips")


def test_of_a_transition_only_the_cause_is_skipped(
    studio: Studio, clips: list[dict[str, Any]]
) -> None:
    """Not its neighbours, whose transition with each other is planned again."""
    faded = [clips[0], {**clips[1], "transition": FADE}, {**clips[2], "transition": FADE}]
    codes, view = _render(studio, clips=faded)
    assert codes == [ExitCode.RETRY, ExitCode.OK]
    assert [clip.state for clip in view.clips] == ["Ready", "Skipped", "Ready"]
    assert _frame_count(studio, view) == 105


def test_all_causes_are_found_at_once(studio: Studio, clips: list[dict[str, Any]]) -> None:
    """In every output."""
    bad = clips[1]
    more = [{**bad, "name": f"bad-{i}", "end": f"{i}s"} for i in (1, 2)]
    outputs = [
        {"name": name, "preset": "custom", "width": 320, "height": 180, "rate": rate}
        for name, rate in (("main", 30), ("other", 25))
    ]
    codes, view = _render(studio, clips=[*clips, *more], outputs=outputs)
    assert codes == [ExitCode.RETRY, ExitCode.OK]
    assert [clip.name for clip in view.clips if clip.state is ClipState.SKIPPED] == [
        "bad",
        "bad-1",
        "bad-2",
    ]


def test_an_intro_cannot_be_skipped(studio: Studio, clips: list[dict[str, Any]]) -> None:
    """The compilation fails, and the message names it."""
    bad = str(clips[1]["mediaId"])
    codes, view = _render(studio, clips=clips[:1], intro={"mediaId": bad})
    assert (codes, view.reason) == ([ExitCode.GIVE_UP], "RenderFailed")
    assert bad in str(view.message)


def test_a_broken_encoder_is_no_fault_of_the_clips(
    studio: Studio, two_seconds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where not even black can be rendered, no clip is skipped."""
    clip = {"mediaId": studio.upload(two_seconds, MediaKind.CLIP)}
    monkeypatch.setattr("clipmill.ffmpeg.segment_args.FRAME_PROPERTIES", ",no_such_filter")
    codes, view = _render(studio, clips=[clip])
    assert (codes, view.reason) == ([ExitCode.GIVE_UP], "RenderFailed")
    assert view.clips[0].state is ClipState.READY


# --- the report of a job --------------------------------------------------------------------------


def _report(api: Harness, uid: str, *names: str, epochs: int = 1) -> None:
    """Report clips as unplayable, as often as given, as if replies were lost."""
    job = api.job(uid, Stage.ASSEMBLE)
    epoch = job.claim(0, "pod").epoch
    clips = [UnplayableClip(name=name, message="broken") for name in names]
    failure = TaskFailure(code="ClipUnplayable", message="m", permanent=False, clips=clips)
    for _ in range(epochs):
        job.result(TaskResult(epoch=epoch, failure=failure))


def test_a_report_may_be_repeated(studio: Studio, clips: list[dict[str, Any]]) -> None:
    """The clip is skipped once; the task can be claimed again, with the new plan."""
    uid, _ = studio.api.register(studio.owner, {"clips": clips})
    _report(studio.api, uid, "bad", epochs=2)
    plan = studio.api.operator.plan(uid)
    assert (plan.state, plan.outputs[0].frames) == (CompilationState.RENDERING, 120)
    _report(studio.api, uid, "bad", "last")
    assert studio.api.operator.plan(uid).outputs[0].frames == 60


def test_a_clip_that_does_not_exist_ends_the_revision(
    studio: Studio, clips: list[dict[str, Any]]
) -> None:
    """A report that changes nothing must not be retried for ever."""
    uid, _ = studio.api.register(studio.owner, {"clips": clips})
    _report(studio.api, uid, "other")
    view = studio.api.operator.view(uid)
    assert (view.state, view.reason) == (CompilationState.FAILED, "ClipUnplayable")
