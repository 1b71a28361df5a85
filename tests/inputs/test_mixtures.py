"""Unlike sources in one compilation, and one defect among them (rows A, K, N and O).

All presets take minutes: CLIPMILL_ALL_INPUTS=1 runs them, else one of them runs.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import clipmaker
from clipmill.protocol import (
    CompilationState,
    ExitCode,
    SegmentCounts,
    Stage,
    TaskFailure,
    TaskResult,
    UploadPurpose,
    UploadRequest,
)
from clipmill.timeline.profiles import PRESETS
from clipmill_client.transfer import sha256_of
from commandline import Completed, clipmill, manifest_file
from inputs.making import Files
from inputs.measuring import TAGS, read
from inputs.mixtures import MIXTURES, Mixture
from inputs.recipes import named
from inputs.rendering import render, spec_of
from sources_server import SourceServer, serve_sources
from studio import Studio, run

ALL = bool(os.environ.get("CLIPMILL_ALL_INPUTS"))
UNTAGGED, TAGGED = "untagged-sd", "tagged-709-small"


def _with_media(value: Any, media: dict[str, str]) -> Any:
    """Return a part of a spec with media ids in their places."""
    if isinstance(value, dict):
        return {name: _with_media(each, media) for name, each in value.items()}
    if isinstance(value, list):
        return [_with_media(each, media) for each in value]
    return media.get(value, value) if isinstance(value, str) else value


@pytest.mark.parametrize("mixture", MIXTURES, ids=lambda mixture: mixture.name)
def test_tagged_and_untagged_play_together(mixture: Mixture, files: Files, studio: Studio) -> None:
    """Every frame is there, and the result has the tags of BT.709."""
    media = {
        "UNTAGGED": studio.upload(files.of(named(UNTAGGED))),
        "TAGGED": studio.upload(files.of(named(TAGGED))),
    }
    spec = spec_of(*list(media.values())[: len(mixture.clips)])
    clips = [{**clip, **more} for clip, more in zip(spec["clips"], mixture.clips, strict=True)]
    rendered = render(studio, {**spec, **_with_media(dict(mixture.spec), media), "clips": clips})
    assert not isinstance(rendered, str), rendered
    assert (len(rendered.pictures), rendered.tags) == (mixture.frames, TAGS)


@pytest.mark.parametrize("preset", sorted(PRESETS) if ALL else ["youtube_shorts"])
def test_tagged_and_untagged_play_together_on_every_platform(
    preset: str, files: Files, studio: Studio
) -> None:
    """Three frames of each."""
    spec = spec_of(*(studio.upload(files.of(named(name))) for name in (UNTAGGED, TAGGED)))
    clips = [{**clip, "end": "100ms"} for clip in spec["clips"]]
    outputs = [{"name": "main", "preset": preset}]
    rendered = render(studio, {**spec, "clips": clips, "outputs": outputs})
    assert not isinstance(rendered, str), rendered
    frames = 2 * round(0.1 * PRESETS[preset].rate)
    assert (len(rendered.pictures), rendered.tags) == (frames, TAGS)


def test_a_stored_segment_of_another_form_is_rendered_again(
    files: Files, studio: Studio, tmp_path: Path
) -> None:
    """It is rendered once more and stored; the log names its clip."""
    studio = Studio(studio.api, tmp_path)  # An owner without segments.
    spec = spec_of(*(studio.upload(files.of(named(name))) for name in (TAGGED, "ten-bit-422")))
    uid, _ = studio.api.register(studio.owner, spec)
    job = studio.api.job(uid, Stage.ASSEMBLE)
    assignment = job.claim(0, "another renderer")
    assert assignment.assemble is not None
    segment = assignment.assemble[0].segments[1]
    path = tmp_path / "a.mov"
    form = ("-profile:v", "baseline", "-c:a", "pcm_f32le", "-ac", "2")
    clipmaker.clip(path, extra=(*form, "-video_track_timescale", "15360"))
    job.upload(
        path,
        UploadRequest(
            purpose=UploadPurpose.SEGMENT,
            filename=path.name,
            size_bytes=path.stat().st_size,
            sha256=sha256_of(path),
            segment_key=segment.key,
            epoch=assignment.epoch,
        ),
    )
    failure = TaskFailure(code="Interrupted", message="", permanent=False)
    job.result(TaskResult(epoch=assignment.epoch, failure=failure))
    assert run(studio.api, uid, Stage.ASSEMBLE) == ExitCode.OK
    view = studio.api.operator.view(uid)
    assert view.state is CompilationState.SUCCEEDED
    assert any("clip c1" in line for line in view.log)
    again = studio.render(spec)
    assert again.outputs[0].segments == SegmentCounts(total=2, reused=2, rendered=0)
    assert not any("another form" in line for line in again.log)


# --- one defect among good clips ------------------------------------------------------------------


class Run(NamedTuple):
    """A run of `clipmill render`: what it wrote, its report, and the frames of its video."""

    completed: Completed
    report: dict[str, Any]
    frames: int


@pytest.fixture(scope="module")
def folder(files: Files, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The good clip, and a state folder."""
    path = tmp_path_factory.mktemp("local")
    (path / "good.mp4").write_bytes(files.of(named(TAGGED)).read_bytes())
    (path / "plain.mp4").write_bytes(files.of(named(UNTAGGED)).read_bytes())
    return path


@pytest.fixture(scope="module")
def web(folder: Path) -> Iterator[SourceServer]:
    """The folder on a web server."""
    with serve_sources(folder) as server:
        yield server


def _render(folder: Path, clips: list[dict[str, Any]], *more: str, **spec: Any) -> Run:
    manifest, out = folder / "manifest.yaml", folder / "out"
    (out / "report.json").unlink(missing_ok=True)
    (out / "main.mp4").unlink(missing_ok=True)
    manifest_file(manifest, clips, **spec)
    words = ("render", manifest, "-o", out, "--state", folder / "state", *more)
    completed = clipmill(*words)
    report = out / "report.json"
    video = out / "main.mp4"
    frames = len(read(video).pictures) if video.exists() else 0
    return Run(completed, json.loads(report.read_text()) if report.exists() else {}, frames)


GOOD: dict[str, Any] = {"name": "first", "url": "good.mp4"}
LAST: dict[str, Any] = {"name": "last", "url": "good.mp4"}
BROKEN = {
    "truncated-mp4": "Truncated",
    "text": "NotMedia",
    "image-avif": "NotMedia",
    "torn-png": "Damaged",
    "pictures-broken": "Damaged",
    "sound-alone": "NoVideo",
    "empty": "Empty",
}


def _broken(name: str, folder: Path, files: Files) -> dict[str, Any]:
    """A clip whose file is broken."""
    path = folder / "broken"
    if name == "torn-png":
        path.write_bytes(files.of(named("image-png")).read_bytes()[:200])
    else:
        path.write_bytes(b"" if name == "empty" else files.of(named(name)).read_bytes())
    return {"name": "broken", "url": "broken"}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_clip_is_skipped(name: str, folder: Path, files: Files) -> None:
    """The others play, and the report names the clip and the reason: local as fetched."""
    done = _render(folder, [GOOD, _broken(name, folder, files), LAST], onClipError="Skip")
    assert (done.completed.code, done.frames) == (3, 120), done.completed
    clip = done.report["clips"][1]
    assert (clip["name"], clip["state"], clip["reason"]) == ("broken", "Skipped", BROKEN[name])


def test_a_placeholder_takes_the_place_of_a_broken_clip(folder: Path, files: Files) -> None:
    """Three seconds of black between the others."""
    clips = [GOOD, _broken("truncated-mp4", folder, files), LAST]
    done = _render(folder, clips, onClipError="Placeholder")
    assert (done.completed.code, done.frames) == (3, 120 + 90), done.completed


def test_a_broken_clip_fails_where_it_shall(folder: Path, files: Files) -> None:
    """And is named."""
    done = _render(folder, [GOOD, _broken("truncated-mp4", folder, files)], onClipError="Fail")
    assert (done.completed.code, done.report.get("reason")) == (1, "ClipFailed")
    assert "broken" in done.completed.out + done.completed.err


def test_a_placeholder_beside_a_tagged_and_an_untagged_clip(
    folder: Path, web: SourceServer
) -> None:
    """The placeholder has the form of every other segment."""
    (folder / "torn.mp4").write_bytes((folder / "good.mp4").read_bytes()[:20_000])
    torn = {"name": "torn", "url": web.url("torn.mp4")}
    clips = [GOOD, torn, {"name": "plain", "url": "plain.mp4"}]
    done = _render(folder, clips, "--allow-private", web.address, onClipError="Placeholder")
    assert (done.completed.code, done.frames) == (3, 60 + 90 + 60), done.completed


def test_sound_that_cannot_be_decoded_does_not_fail_the_others(folder: Path, files: Files) -> None:
    """The clip is skipped or plays silent, and is named either way."""
    clips = [GOOD, _broken("broken-sound", folder, files), LAST]
    done = _render(folder, clips, onClipError="Skip")
    assert (done.completed.code, done.frames) in {(0, 180), (3, 120)}, done.completed
    notes = done.report["outputs"][0]["notes"]
    skipped = [clip["name"] for clip in done.report["clips"] if clip["state"] == "Skipped"]
    assert "broken" in skipped or any("broken" in note for note in notes)


def test_a_trim_shorter_than_a_frame(folder: Path) -> None:
    """One frame, or one sentence with both values."""
    done = _render(folder, [{**GOOD, "start": "1s", "end": "1.001s"}])
    text = done.completed.out + done.completed.err
    assert done.frames == 1 or ("start 1s" in text and "end 1.001s" in text), text


def test_a_file_name_with_a_line_break(folder: Path) -> None:
    """It plays."""
    name = "line\nbreak.mp4"
    (folder / name).write_bytes((folder / "good.mp4").read_bytes())
    done = _render(folder, [{"url": name}])
    assert (done.completed.code, done.frames) == (0, 60), done.completed
