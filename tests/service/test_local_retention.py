"""A local API lives shorter than an hour: what is due is deleted when it ends."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from clipmill_cli.local.local_api import LocalAPI
from harness import library_clip


def test_a_local_api_deletes_at_its_end_what_is_due(tmp_path: Path, two_seconds: Path) -> None:
    """Not at its start, and not before the grace period is over."""
    with LocalAPI(tmp_path) as api:
        media = library_clip(api.user, two_seconds)
        api.user.delete_media(media.id)
    blob = tmp_path / "blobs/local" / media.sha256
    assert blob.exists()
    with sqlite3.connect(tmp_path / "clipmill.db") as database:
        database.execute("UPDATE tombstones SET delete_after = '2020-01-01 00:00:00.000000'")
    database.close()
    with LocalAPI(tmp_path):
        assert blob.exists()
    assert not blob.exists()
