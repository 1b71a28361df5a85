"""`clipmill admin fsck`: what the store holds and the database does not know, and the reverse."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clipmill.protocol import MediaKind, UploadPurpose
from clipmill_api.media import store_check
from clipmill_api.media.retention import report_findings, sweep
from clipmill_client import PermanentError
from clipmill_client.transfer import sha256_of
from commandline import Completed, clipmill
from harness import Harness, library_clip, running
from pods import announcement

UNKNOWN = "a" * 64
STRAYS = {"README", "lost+found/x/y", ".hidden", "ada/short"}


@pytest.fixture
def store(empty_database_url: str, tmp_path: Path) -> Iterator[Harness]:
    """An API of its own on each database."""
    with running(tmp_path / "state", empty_database_url, allow_any_host=True) as harness:
        yield harness


def fsck(api: Harness, *words: str) -> tuple[Completed, dict[str, Any]]:
    """Run the command; return what it did, and its report."""
    env = {"CLIPMILL_API_URL": api.url, "CLIPMILL_ADMIN_KEY": api.settings.admin_key}
    done = clipmill("admin", "fsck", *words, "-o", "json", env=env)
    return done, json.loads(done.out) if done.out else {}


def put(api: Harness, path: str, content: bytes = b"bytes") -> Path:
    """Write an object into the folder of the store."""
    file = api.settings.state / "blobs" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


def test_a_consistent_store_ends_with_zero(store: Harness, two_seconds: Path) -> None:
    """Media files, deleted ones, running uploads, watermarks and strays are no faults."""
    _, user = store.user(apply_watermark=True)
    media = library_clip(user, two_seconds)
    user.delete_media(media.id)
    request = announcement(two_seconds, UploadPurpose.LIBRARY, kind=MediaKind.CLIP)
    request = request.model_copy(update={"sha256": UNKNOWN})
    user.connection.request("POST", "/api/uploads", body=request)
    put(store, f"{_owner(store)}/{UNKNOWN}")
    put(store, f"_installation/{'b' * 64}")
    for path in STRAYS:
        put(store, path)
    done, report = fsck(store, "--verify")
    assert (done.code, report["consistent"], report["waiting"]) == (0, True, 1)
    assert set(report["strays"]["paths"]) == STRAYS
    assert report["blobs"] == 3


def _owner(api: Harness) -> str:
    return str(api.rows("SELECT name FROM users")[0]["name"])


def test_faults_are_listed(store: Harness, two_seconds: Path, three_seconds: Path) -> None:
    """Unknown, missing, truncated and damaged blobs, in text, JSON, exit code and metrics."""
    owner, user = store.user()
    missing, short = library_clip(user, two_seconds), library_clip(user, three_seconds)
    put(store, f"{owner}/{UNKNOWN}", b"12345")
    blobs = store.settings.state / "blobs" / owner
    (blobs / missing.sha256).unlink()
    (blobs / short.sha256).write_bytes(b"short")
    done, report = fsck(store)
    assert (done.code, report["consistent"]) == (1, False)
    found = {name: report[name]["paths"] for name in ("unknown", "missing", "wrong_size")}
    assert found == {
        "unknown": [f"{owner}/{UNKNOWN}"],
        "missing": [f"{owner}/{missing.sha256}"],
        "wrong_size": [f"{owner}/{short.sha256}"],
    }
    assert report["unknown"]["size_bytes"] == 5
    report_findings(store.ctx)
    metrics = store.client("none").connection.request_once("GET", "/metrics").text
    for finding in found:
        assert f'clipmill_store_findings{{finding="{finding}"}} 1.0' in metrics


def test_damaged_bytes_are_found_page_by_page(
    store: Harness, two_seconds: Path, three_seconds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A blob of the right size with other bytes."""
    monkeypatch.setattr(store_check, "VERIFY_S", -1)  # one blob a page
    owner, user = store.user()
    library_clip(user, two_seconds)
    media = library_clip(user, three_seconds)
    put(store, f"{owner}/{media.sha256}", bytes(media.size_bytes))
    assert fsck(store)[0].code == 0
    done, report = fsck(store, "--verify")
    assert done.code == 1, done
    assert report["damaged"] == {"count": 1, "paths": [f"{owner}/{media.sha256}"]}


def test_unknown_blobs_are_removed_on_request_only(store: Harness, two_seconds: Path) -> None:
    """After the grace period, and not if the bytes are uploaded meanwhile."""
    owner, user = store.user()
    unknown = put(store, f"{owner}/{UNKNOWN}")
    adopted = put(store, f"{owner}/{sha256_of(two_seconds)}", two_seconds.read_bytes())
    with pytest.raises(PermanentError):
        store.admin.remove_unknown_blobs("another installation")
    done, report = fsck(store, "--remove-unknown", "--yes")
    assert (done.code, report["removal"]["marked"]) == (1, 2)
    assert fsck(store)[0].code == 0
    sweep(store.ctx)
    assert unknown.exists()
    library_clip(user, two_seconds)
    store.clock.advance(8 * 86_400)
    sweep(store.ctx)
    assert (unknown.exists(), adopted.exists()) == (False, True)
