"""E3, E4, E13 and E15: media files."""

from __future__ import annotations

from pathlib import Path

import pytest

from clipmill.protocol import Stage
from legacy_world import UNKNOWN_ID, LegacyWorld
from pods import fetch, url


def test_e3_media_metadata(legacy_world: LegacyWorld) -> None:
    """A media file, without its path on the server."""
    reply = legacy_world.request("GET", f"/media/{legacy_world.owner.media_id}").json()
    assert reply["duration"] == pytest.approx(2, abs=0.1)
    assert reply["user_id"] == reply["username"] == legacy_world.owner.name
    assert "file_path" not in reply


def test_e4_media_row_is_created_once(legacy_world: LegacyWorld) -> None:
    """201, then 200 with the same id; the size is measured and counted once."""
    owner = legacy_world.owner
    sha256 = owner.user.media(owner.media_id).sha256
    before = owner.user.account().storage_used_bytes
    body = {"filename": "intro.mp4", "media_type": "intro", "sha256": sha256}
    first, second = (legacy_world.request("POST", "/media", body) for _ in range(2))
    statuses = (first.status_code, second.status_code)
    assert statuses in ((201, 200), (200, 200))
    assert first.json()["media_id"] == second.json()["media_id"]
    media = owner.user.media(first.json()["media_id"])
    used = owner.user.account().storage_used_bytes - before
    assert used == (media.size_bytes if statuses[0] == 201 else 0)
    sql = "SELECT count(*) AS n FROM media WHERE owner = :o AND kind = 'intro'"
    assert legacy_world.api.rows(sql, o=owner.name) == [{"n": 1}]


def test_e4_requires_uploaded_bytes(legacy_world: LegacyWorld) -> None:
    """A row for bytes that were never uploaded is refused."""
    error = legacy_world.refusal("POST", "/media", {"filename": "a.mp4", "sha256": "0" * 64})
    assert (error.status, error.code, error.facts["field"]) == (422, "UnknownMedia", "sha256")


def test_e13_reuse_is_by_clip_key(legacy_world: LegacyWorld, two_seconds: Path) -> None:
    """Any spelling of the URL finds the media, for its owner alone."""
    clip_url = legacy_world.clip_url
    assert legacy_world.legacy.find_reusable_media(clip_url)["found"] is False
    fetch(legacy_world.job, 0, two_seconds)
    job = legacy_world.api.job(legacy_world.uid, Stage.ASSEMBLE)
    media = job.legacy.find_reusable_media(f"{clip_url}?utm_source=x#t=3")
    assert (media["found"], media["duration"]) == (True, pytest.approx(2, abs=0.1))
    view = legacy_world.api.operator.view(legacy_world.uid)
    assert media["media_file_id"] == view.clips[1].media_id
    stranger, _ = legacy_world.api.user()
    uid, _ = legacy_world.api.register(stranger, {"clips": [{"url": url()}]})
    other = legacy_world.api.job(uid, Stage.FETCH).legacy
    assert other.find_reusable_media(clip_url)["found"] is False


def test_e15_batch_keeps_order_and_names_missing_ids(legacy_world: LegacyWorld) -> None:
    """Files come in the order of the ids, repeated ones too."""
    clip = legacy_world.owner.user.media(legacy_world.owner.media_id)
    body = {"filename": "o.mp4", "media_type": "outro", "sha256": clip.sha256}
    outro = legacy_world.request("POST", "/media", body).json()["media_id"]
    batch = legacy_world.legacy.get_media_batch([outro, UNKNOWN_ID, clip.id, outro])
    assert [file["id"] for file in batch["media_files"]] == [outro, clip.id, outro]
    assert batch["missing"] == [UNKNOWN_ID]
    file = batch["media_files"][0]
    assert (file["width"], file["height"], file["framerate"]) == (320, 180, 30.0)
    assert legacy_world.legacy.get_media_batch([])["media_files"] == []
