"""E8, E9 and E14: the project, as it is rendered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import text

from clipmill.protocol import CompilationState, MediaKind, Stage
from clipmill_client import Client, PermanentError
from harness import SMALL, Harness, library_clip
from legacy_world import LegacyOwner, LegacyWorld, register
from pods import assemble, url


def test_e8_project(legacy_world: LegacyWorld) -> None:
    """The guide's fields, with the clips in the order of the spec."""
    owner = legacy_world.owner
    project = legacy_world.legacy.get_project_metadata(legacy_world.project_id)
    assert (project["name"], project["user_id"]) == ("test", owner.name)
    assert project["username"] == owner.name
    assert (project["max_clip_duration"], project["output_resolution"]) == (10.0, "320x180")
    assert (project["output_format"], project["audio_norm_db"]) == ("mp4", -14.0)
    assert [clip["order_index"] for clip in project["clips"]] == [0, 1]
    ours, waiting = project["clips"]
    assert (ours["media_file_id"], ours["start_time"]) == (owner.media_id, 0.5)
    assert (ours["end_time"], ours["is_downloaded"], ours["title"]) == (None, True, "Ours")
    assert (waiting["is_downloaded"], waiting["duration"]) == (False, None)


def test_e9_failed_is_final(legacy_world: LegacyWorld) -> None:
    """A worker's failure ends the compilation with its message; no later status changes it."""
    calls, project_id = legacy_world.legacy, legacy_world.project_id
    with pytest.raises(PermanentError) as forbidden:
        calls.update_project_status(project_id, status="failed", error="a fetch key")
    assert (forbidden.value.status, forbidden.value.code) == (403, "Forbidden")
    calls = legacy_world.api.job(legacy_world.uid, Stage.ASSEMBLE).legacy
    reply = calls.update_project_status(project_id, status="processing")
    assert reply == {"status": "updated", "project_id": project_id}
    with pytest.raises(PermanentError) as early:
        calls.update_project_status(project_id, status="completed")
    assert (early.value.status, early.value.code) == (409, "StateConflict")
    for _ in range(2):
        calls.update_project_status(project_id, status="failed", error="no disk")
    view = legacy_world.api.operator.view(legacy_world.uid)
    assert (view.state, view.reason) == (CompilationState.FAILED, "WorkerFailed")
    assert view.message == "no disk"
    for status in ("completed", "processing"):
        with pytest.raises(PermanentError) as late:
            calls.update_project_status(project_id, status=status)
        assert late.value.code == "StateConflict"
    sql = "SELECT state FROM reservations WHERE compilation_id = :c"
    assert legacy_world.api.rows(sql, c=project_id) == [{"state": "released"}]


def test_e9_late_failure_does_not_undo_success(
    legacy_owner: LegacyOwner, two_seconds: Path
) -> None:
    """A late worker cannot turn a finished compilation into a failed one."""
    spec = {"clips": [{"mediaId": legacy_owner.media_id}]}
    job, project_id = register(legacy_owner, spec, Stage.ASSEMBLE)
    assemble(job, two_seconds)
    job.legacy.update_project_status(project_id, status="completed")
    with pytest.raises(PermanentError) as late:
        job.legacy.update_project_status(project_id, status="failed", error="late")
    assert late.value.code == "StateConflict"
    assert legacy_owner.user.compilation(project_id).state is CompilationState.SUCCEEDED


def test_e14_context(legacy_world: LegacyWorld) -> None:
    """The guide's fields, with null for no limit."""
    context = legacy_world.legacy.get_compilation_context(legacy_world.project_id)
    project = context["project"]
    assert (project["output_resolution"], project["fps"]) == ("320x180", 30)
    assert (project["fit"], project["loudness_lufs"]) == ("Contain", -14.0)
    assert (project["vertical_zoom"], project["vertical_align"]) == (100, "center")
    assert (project["duck_threshold"], project["duck_ratio"]) == (
        pytest.approx(0.02, abs=0.0005),
        20,
    )
    assert (project["duck_attack"], project["duck_release"]) == (1.0, 250.0)
    assert [clip["id"] for clip in context["clips"]] == legacy_world.clip_ids
    first, second = context["clips"]
    assert first["media_file"]["id"] == legacy_world.owner.media_id
    assert first["media_file"]["width"] == 320
    assert (first["start_time"], second["media_file"]) == (0.5, None)
    limits = context["tier_limits"]
    assert {limits[name] for name in ("max_res_label", "max_fps", "max_clips")} == {None}
    assert limits["apply_watermark"] is False


@pytest.fixture
def limited(api: Harness, two_seconds: Path) -> LegacyOwner:
    """A user whose tier limits size, rate and clips, and requires the watermark."""
    limits: dict[str, Any] = {"max_resolution": "720p", "max_fps": 25, "max_clips": 3}
    name, user = api.user(**limits, apply_watermark=True)
    return LegacyOwner(api, name, user, library_clip(user, two_seconds).id)


def answers(job: Client, project_id: str) -> list[dict[str, Any]]:
    """Return what E8 and E14 say of a project."""
    context = job.legacy.get_compilation_context(project_id)
    return [job.legacy.get_project_metadata(project_id), context["project"]]


def test_every_output_within_the_tier(limited: LegacyOwner) -> None:
    """Container, size and rate are those that are rendered, for each output."""
    webm = {"preset": "custom", "container": "webm", "width": 3840, "height": 2160, "rate": 60}
    outputs = [
        {"name": "web", **webm, "maxBytes": 10_000_000},
        {"name": "tall", "preset": "youtube_shorts", "fit": "Cover", "zoom": 120, "align": "Left"},
    ]
    spec = {"clips": [{"mediaId": limited.media_id}], "outputs": outputs}
    job, project_id = register(limited, spec, Stage.ASSEMBLE)
    plan = limited.user.plan(project_id)
    for project in answers(job, project_id):
        assert (project["output_format"], project["output_resolution"]) == ("webm", "1280x720")
        assert project["fps"] == 25
        web, tall = project["outputs"]
        assert (web["name"], web["output_format"], web["max_file_size"]) == ("web", "webm", 10**7)
        assert (tall["output_resolution"], tall["output_format"]) == ("720x1280", "mp4")
        assert (tall["fit"], tall["vertical_zoom"], tall["vertical_align"]) == (
            "Cover",
            120,
            "left",
        )
        for output, planned in zip(project["outputs"], plan.outputs, strict=True):
            assert (output["width"], output["height"]) == planned.profile.size
            assert (output["frames"], output["is_exact"]) == (planned.frames, True)
            assert output["max_bitrate"] == planned.profile.max_bitrate
            assert any("limited" in note for note in output["notes"])
    limits = job.legacy.get_compilation_context(project_id)["tier_limits"]
    assert (limits["max_clips"], limits["max_res_label"], limits["max_fps"]) == (3, "720p", 25)


def test_watermark_of_the_tier(limited: LegacyOwner, tmp_path: Path) -> None:
    """The watermark's place and content; the image can be downloaded by its SHA-256."""
    spec = {"clips": [{"mediaId": limited.media_id}]}
    job, project_id = register(limited, spec, Stage.ASSEMBLE)
    job.claim(0, "pod")
    for project in answers(job, project_id):
        mark = project["watermark"]
        assert (mark["position"], mark["opacity"]) == ("bottom-right", 0.3)
        assert (mark["size_percent"], mark["margin_percent"]) == (7, 2)
        job.download_watermark(mark["sha256"], tmp_path / "watermark.png")
    limits = job.legacy.get_compilation_context(project_id)["tier_limits"]
    assert limits["apply_watermark"] is True
    assert (limits["watermark_opacity"], limits["watermark_position"]) == (0.3, "bottom-right")


def test_music_transitions_overlays_and_credits(
    legacy_owner: LegacyOwner, two_seconds: Path, tmp_path: Path
) -> None:
    """E8 and E14 name everything that the render plays and shows."""
    user, media_id = legacy_owner.user, legacy_owner.media_id
    Image.new("RGBA", (60, 20)).save(tmp_path / "logo.png")
    image = user.upload_media(tmp_path / "logo.png", MediaKind.IMAGE).id
    clips = [
        {
            "mediaId": media_id,
            "title": "First",
            "credit": {"creator": "Ada", "game": "Chess", "avatar": image},
        },
        {
            "mediaId": media_id,
            "transition": {"type": "Fade", "duration": "500ms"},
            "overlays": [{"text": "Hello", "position": "TopLeft", "start": "1s", "opacity": 50}],
        },
    ]
    music = {
        "mediaId": media_id,
        "gain": "-9dB",
        "from": "AfterIntro",
        "duck": {"threshold": "-20dB", "ratio": 4, "attack": "20ms", "release": "1s"},
    }
    spec = {
        "clips": clips,
        "intro": {"mediaId": media_id},
        "bumper": {"mediaId": media_id},
        "transitions": {"mediaIds": [media_id], "order": "Random", "seed": 7},
        "music": music,
        "overlays": [{"mediaId": image, "size": 10}],
        "outputs": [SMALL],
    }
    job, project_id = register(legacy_owner, spec, Stage.ASSEMBLE)
    plan = user.plan(project_id).outputs[0]
    for project in answers(job, project_id):
        assert project["music"] == {
            "media_file_id": media_id,
            "gain_db": -9.0,
            "loop": True,
            "start_mode": "after_intro",
            "end_mode": "end",
            "fade_out": 2.0,
            "duck_depth_db": None,
        }
        assert (project["duck_threshold"], project["duck_ratio"]) == (0.1, 4)
        assert (project["duck_attack"], project["duck_release"]) == (20.0, 1000.0)
        assert (project["intro_media_id"], project["outro_media_id"]) == (media_id, None)
        assert project["bumper"] == {"media_file_id": media_id, "placement": "Between"}
        assert project["transition_media_ids"] == [media_id]
        assert (project["transitions"]["order"], project["transitions"]["seed"]) == ("Random", 7)
        logo = project["overlays"][0]
        assert (logo["media_file_id"], logo["size_percent"], logo["opacity"]) == (image, 10, 1.0)
        output = project["outputs"][0]
        assert output["music"] == {
            "first_frame": plan.music.at if plan.music else -1,
            "frames": plan.music.frames if plan.music else -1,
        }
        kinds = [(item["kind"], item["first_frame"], item["frames"]) for item in output["timeline"]]
        assert kinds == [(item.kind, item.at, item.frames) for item in plan.items]
        fade = output["timeline"][-1]
        assert (fade["transition"], fade["transition_frames"]) == ("Fade", 15)
        credits = [(credit["kind"], credit["by"]) for credit in output["credits"]]
        assert credits == [(credit.kind, credit.by) for credit in plan.credits]
        assert ("clip", "Ada") in credits
    context = job.legacy.get_compilation_context(project_id)
    for clips_of in (context["clips"], job.legacy.get_project_metadata(project_id)["clips"]):
        first, second = clips_of
        assert (first["creator_name"], first["game_name"]) == ("Ada", "Chess")
        assert (first["avatar_media_id"], first["transition"]) == (image, None)
        assert second["transition"] == {
            "type": "Fade",
            "duration": 0.5,
            "audio_curve": "EqualPower",
        }
        hello = second["overlays"][0]
        assert (hello["text"], hello["position"]) == ("Hello", "top-left")
        assert (hello["start_time"], hello["opacity"]) == (1.0, 0.5)


def test_a_waiting_clip_makes_the_timeline_an_estimate(legacy_world: LegacyWorld) -> None:
    """Until all clips are fetched, lengths are not exact."""
    for project in answers(legacy_world.job, legacy_world.project_id):
        assert project["outputs"][0]["is_exact"] is False
        assert len(project["outputs"][0]["timeline"]) == 2


def test_a_project_without_a_timeline_still_has_its_outputs(legacy_owner: LegacyOwner) -> None:
    """When no clip is left to play, size and container are known and the note says why."""
    spec = {"clips": [{"url": url()}, {"url": url()}], "minimumClips": 1}
    uid, plan = legacy_owner.api.register(legacy_owner.name, spec)
    project_id, job = str(plan.compilation_id), legacy_owner.api.job(uid, Stage.FETCH)
    skip = text("UPDATE clips SET state = 'Skipped' WHERE compilation_id = :c")
    legacy_owner.api.ctx.db.write(lambda session: session.execute(skip, {"c": project_id}))
    for project in answers(job, project_id):
        output = project["outputs"][0]
        assert (output["output_resolution"], output["output_format"]) == ("320x180", "mp4")
        assert (output["frames"], output["timeline"], len(output["notes"])) == (None, [], 1)
