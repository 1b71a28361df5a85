"""What holds for all fifteen endpoints: ids, keys and bad bodies."""

from __future__ import annotations

from typing import Any

import pytest

from clipmill.protocol import CompilationState, Stage
from clipmill_client import PermanentError
from legacy_world import UNKNOWN_ID, LegacyOwner, LegacyWorld, new_world
from pods import url

ROUTES: list[tuple[str, str, Any]] = [
    ("GET", "/clips/{clip}", None),
    ("POST", "/clips/{clip}/status", {"error": "gone"}),
    ("GET", "/media/{media}", None),
    ("POST", "/media", {"filename": "a.mp4", "sha256": "0" * 64}),
    ("POST", "/jobs", {"external_id": "t-1"}),
    ("GET", "/jobs/{job}", None),
    ("PUT", "/jobs/{job}", {"progress": 1}),
    ("GET", "/projects/{project}", None),
    ("PUT", "/projects/{project}/status", {"status": "processing"}),
    ("GET", "/users/{user}/quota", None),
    ("GET", "/users/{user}/tier-limits", None),
    ("POST", "/users/{user}/record-render", {"project_id": UNKNOWN_ID, "seconds": 1}),
    ("POST", "/media/find-reusable", {"source_url": "https://example.com/a.mp4"}),
    ("GET", "/projects/{project}/compilation-context", None),
    ("POST", "/media/batch", {"media_ids": []}),
]
BY_ID = [row for row in ROUTES if "{" in row[1]]
REFUSED_AFTER_THE_END = [row for row in ROUTES if "record-render" not in row[1]]


@pytest.fixture(scope="module")
def shared_world(legacy_owner: LegacyOwner) -> LegacyWorld:
    """A compilation for tests whose requests are all refused."""
    return new_world(legacy_owner)


@pytest.mark.parametrize(("method", "path", "body"), BY_ID)
def test_unknown_id_is_404(shared_world: LegacyWorld, method: str, path: str, body: Any) -> None:
    """An unknown id, well formed or not, is 404 and never 500."""
    for unknown in (UNKNOWN_ID, "no id at all", "%00", "x" * 2000):
        names = ("clip", "media", "job", "project", "user")
        error = shared_world.refusal(method, path.format(**dict.fromkeys(names, unknown)), body)
        assert (error.status, error.code) == (404, "NotFound"), unknown


@pytest.mark.parametrize(("method", "path", "body"), BY_ID)
def test_foreign_id_is_404(legacy_world: LegacyWorld, method: str, path: str, body: Any) -> None:
    """The id of another owner's compilation looks as if it did not exist."""
    stranger, _ = legacy_world.api.user()
    uid, plan = legacy_world.api.register(stranger, {"clips": [{"url": url()}]})
    other = legacy_world.api.job(uid, Stage.FETCH)
    ids = {
        "clip": plan.clips[0].id,
        "media": legacy_world.owner.media_id,
        "job": other.legacy.create_processing_job(external_id="t")["job_id"],
        "project": str(plan.compilation_id),
        "user": stranger,
    }
    # The media file belongs to the first owner, so the stranger asks for it.
    caller = other if "{media}" in path else legacy_world.job
    with pytest.raises(PermanentError) as error:
        caller.connection.request_once(method, f"/api/worker{path.format(**ids)}", json=body)
    assert (error.value.status, error.value.code) == (404, "NotFound")


@pytest.mark.parametrize(("method", "path", "body"), REFUSED_AFTER_THE_END)
def test_key_ends_with_its_generation(
    legacy_world: LegacyWorld, method: str, path: str, body: Any
) -> None:
    """After the terminal state a job's key is refused, and the state does not change."""
    ids = legacy_world.ids()
    legacy_world.owner.user.cancel(legacy_world.project_id)
    error = legacy_world.refusal(method, path.format(**ids), body)
    assert (error.status, error.code in ("Ended", "StateConflict")) == (409, True)
    assert legacy_world.state() is CompilationState.CANCELLED


BAD: list[tuple[str, str, Any, str]] = [
    ("POST", "/clips/{clip}/status", {"is_downloaded": "perhaps"}, "is_downloaded"),
    ("POST", "/clips/{clip}/status", {"duration": -1}, "duration"),
    ("POST", "/clips/{clip}/status", {"media_file_id": 7}, "media_file_id"),
    ("POST", "/clips/{clip}/status", {"error": "e" * 501}, "error"),
    ("POST", "/clips/{clip}/status", {"user_id": "eve"}, "user_id"),
    ("POST", "/media", {"filename": "a", "sha256": "zz"}, "sha256"),
    ("POST", "/media", {"filename": "a\nb", "sha256": "0" * 64}, "filename"),
    ("POST", "/media", {"filename": "a", "sha256": "0" * 64, "media_type": "film"}, "media_type"),
    ("POST", "/media", {"filename": "a", "sha256": "0" * 64, "file_size": 1}, "file_size"),
    ("POST", "/media", {"filename": "a", "sha256": "0" * 64, "file_path": "/x"}, "file_path"),
    ("POST", "/jobs", {}, "external_id"),
    ("POST", "/jobs", {"external_id": "t", "status": "success"}, "status"),
    ("POST", "/jobs", {"external_id": "t", "user_id": "eve"}, "user_id"),
    ("PUT", "/jobs/{job}", {"progress": 101}, "progress"),
    ("PUT", "/jobs/{job}", {"progress": "half"}, "progress"),
    ("PUT", "/jobs/{job}", {"result_data": [1]}, "result_data"),
    ("PUT", "/projects/{project}/status", {"status": "draft"}, "status"),
    ("PUT", "/projects/{project}/status", {}, "status"),
    ("POST", "/users/{user}/record-render", {"seconds": 1}, "project_id"),
    ("POST", "/users/{user}/record-render", {"project_id": UNKNOWN_ID, "seconds": -1}, "seconds"),
    (
        "POST",
        "/users/{user}/record-render",
        {"project_id": UNKNOWN_ID, "seconds": "1e9"},
        "seconds",
    ),
    ("POST", "/media/find-reusable", {}, "source_url"),
    ("POST", "/media/find-reusable", {"source_url": "u", "user_id": "eve"}, "user_id"),
    ("POST", "/media/batch", {"media_ids": "m-1"}, "media_ids"),
    ("POST", "/media/batch", {"media_ids": ["../x"]}, "media_ids[0]"),
    ("POST", "/media/batch", {"media_ids": [UNKNOWN_ID] * 501}, "media_ids"),
]


@pytest.mark.parametrize(("method", "path", "body", "field"), BAD)
def test_bad_body_is_422(
    shared_world: LegacyWorld, method: str, path: str, body: Any, field: str
) -> None:
    """The problem of a bad body names the field and the rule."""
    error = shared_world.refusal(method, path.format(**shared_world.ids()), body)
    assert (error.status, error.code) == (422, "Invalid")
    assert error.facts["errors"][0]["field"] == field
    assert error.detail.startswith(f"{field}: ")


def test_errors_of_the_client_are_permanent(legacy_world: LegacyWorld) -> None:
    """The SDK's functions raise PermanentError with the problem's code."""
    with pytest.raises(PermanentError) as error:
        legacy_world.legacy.find_reusable_media("ftp://example.com/a")
    assert (error.value.status, error.value.code) == (422, "ForbiddenURL")
    assert legacy_world.legacy.find_reusable_media(url())["found"] is False
