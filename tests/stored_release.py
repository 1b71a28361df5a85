"""The stored database of an earlier release, as a state folder."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from manifests import ROOT


def restore_release(release: str, state: Path, *, with_blobs: bool = True) -> str:
    """Create the database of a release, and a file for each blob that it names.

    Returns:
        The owner of its compilation.
    """
    with sqlite3.connect(state / "clipmill.db") as database:
        database.executescript((ROOT / "tests/releases" / release / "clipmill.sql").read_text())
        rows = database.execute("SELECT owner, sha256 FROM media").fetchall()
        owner = database.execute("SELECT owner FROM compilations").fetchone()[0]
    database.close()
    for folder, sha256 in rows if with_blobs else []:
        path = state / "blobs" / folder / sha256
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"bytes")
    return str(owner)
