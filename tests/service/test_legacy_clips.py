"""E1 and E2: clips of a project."""

from __future__ import annotations

from typing import Any

import pytest

from clipmill.protocol import CompilationState, Stage
from legacy_world import UNKNOWN_ID, LegacyOwner, LegacyWorld


def test_e1_clip_metadata(legacy_world: LegacyWorld) -> None:
    """What a download needs; null where there is nothing."""
    owner = legacy_world.owner.name
    ours = legacy_world.legacy.get_clip_metadata(legacy_world.clip_ids[0])
    assert (ours["title"], ours["source_url"]) == ("Ours", None)
    assert (ours["source_platform"], ours["source_id"]) == ("library", None)
    waiting = legacy_world.legacy.get_clip_metadata(legacy_world.clip_ids[1])
    assert waiting["source_url"] == legacy_world.clip_url
    assert (waiting["source_platform"], waiting["source_id"]) == ("external", None)
    assert (waiting["project_id"], waiting["user_id"]) == (legacy_world.project_id, owner)
    assert (waiting["username"], waiting["project_name"]) == (owner, "test")


SOURCES = [
    ("https://clips.twitch.tv/AbC-d_1", "twitch", "AbC-d_1"),
    ("https://www.twitch.tv/videos/123", "twitch", "123"),
    ("https://youtu.be/dQw4w9WgXcQ", "youtube", "dQw4w9WgXcQ"),
    ("https://cdn.discordapp.com/attachments/11/22/a.mp4?ex=1&hm=2", "discord", "22"),
    ("https://media.discordapp.net/attachments/11/33/b.mp4", "discord", "33"),
    ("https://CDN.discordapp.com/ephemeral-attachments/11/44/c.mp4", "discord", "44"),
    ("https://cdn.discordapp.com/emojis/55.gif", "discord", None),
    ("https://discordapp.com.example.com/attachments/11/22/a.mp4", "external", None),
]


@pytest.mark.parametrize(("clip_url", "platform", "source_id"), SOURCES)
def test_e1_source_platform(
    legacy_owner: LegacyOwner, clip_url: str, platform: str, source_id: str | None
) -> None:
    """The platform follows from the host, the id from the URL with its case kept."""
    uid, plan = legacy_owner.api.register(legacy_owner.name, {"clips": [{"url": clip_url}]})
    job = legacy_owner.api.job(uid, Stage.FETCH)
    clip = job.legacy.get_clip_metadata(plan.clips[0].id)
    assert (clip["source_platform"], clip["source_id"]) == (platform, source_id)


def test_e2_media_completes_the_clip_once(legacy_world: LegacyWorld) -> None:
    """The clip gets its media and rendering begins; a repetition changes nothing."""
    clip_id, media_id = legacy_world.clip_ids[1], legacy_world.owner.media_id
    for _ in range(2):
        reply = legacy_world.legacy.update_clip_status(
            clip_id, media_file_id=media_id, is_downloaded=True, duration=2.0
        )
        assert reply == {"status": "updated", "clip_id": clip_id}
    view = legacy_world.api.operator.view(legacy_world.uid)
    assert (view.state, view.clips[1].media_id) == (CompilationState.RENDERING, media_id)
    error = legacy_world.refusal("POST", f"/clips/{clip_id}/status", {"error": "too late"})
    assert (error.status, error.code) == (409, "StateConflict")


def test_e2_error_skips_the_clip(legacy_world: LegacyWorld) -> None:
    """The error becomes the clip's message; a repetition changes nothing."""
    clip_id = legacy_world.clip_ids[1]
    for _ in range(2):
        legacy_world.legacy.update_clip_status(clip_id, error="404 of the platform")
    clip = legacy_world.api.operator.view(legacy_world.uid).clips[1]
    assert (clip.reason, clip.message) == ("FetchFailed", "404 of the platform")
    body = {"media_file_id": legacy_world.owner.media_id}
    error = legacy_world.refusal("POST", f"/clips/{clip_id}/status", body)
    assert error.code == "StateConflict"


CONTRADICTIONS: list[tuple[dict[str, Any], int, str]] = [
    ({"media_file_id": UNKNOWN_ID}, 404, "NotFound"),
    ({"media_file_id": "OWN", "duration": 9}, 422, "Invalid"),
    ({"media_file_id": "OWN", "error": "both"}, 422, "Invalid"),
    ({"is_downloaded": True}, 409, "StateConflict"),
]


@pytest.mark.parametrize(("body", "status", "code"), CONTRADICTIONS)
def test_e2_refuses_what_is_not_true(
    legacy_world: LegacyWorld, body: dict[str, Any], status: int, code: str
) -> None:
    """Media of another owner, a wrong length, a download that did not happen."""
    if body.get("media_file_id") == "OWN":
        body = {**body, "media_file_id": legacy_world.owner.media_id}
    error = legacy_world.refusal("POST", f"/clips/{legacy_world.clip_ids[1]}/status", body)
    assert (error.status, error.code) == (status, code)
    assert legacy_world.state() is CompilationState.FETCHING
