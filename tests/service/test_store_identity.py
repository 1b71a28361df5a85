"""Database and blob store name the same installation, or the API does not start."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from clipmill_api import __main__ as api_main
from clipmill_api.errors import StartRefused
from clipmill_api.http.app import create_app
from clipmill_api.http.authentication import new_key
from clipmill_api.settings import Settings
from commandline import clipmill
from harness import library_clip, running
from stored_release import restore_release


def settings(state: Path, url: str = "", **more: Any) -> Settings:
    """Return the settings of an API with this database."""
    keys = {"admin_key": new_key("admin"), "operator_key": new_key("operator")}
    return Settings(state=state, database_url=url, **keys, **more)


def start(state: Path, url: str = "", sql: str = "", **more: Any) -> str:
    """Start an API, run a statement, and stop it. Return the installation's id in its database."""
    db = create_app(settings(state, url, **more)).state.context.db
    with db.writer.begin() as connection:
        installation = connection.execute(text("SELECT id FROM installation")).scalar_one()
        if sql:
            connection.execute(text(sql))
    db.close()
    return str(installation)


def store_id(state: Path) -> str:
    """Return the installation's id in the store."""
    return str(json.loads((state / "blobs/.clipmill/installation.json").read_text())["id"])


def files(state: Path) -> dict[str, bytes]:
    """Return every file of the store."""
    return {str(p): p.read_bytes() for p in (state / "blobs").rglob("*") if p.is_file()}


def test_a_new_installation_names_itself_once(tmp_path: Path, empty_database_url: str) -> None:
    """Database and store get one id, and keep it."""
    first = start(tmp_path / "s", empty_database_url)
    assert first == store_id(tmp_path / "s")
    assert start(tmp_path / "s", empty_database_url) == first


def test_a_start_cut_off_before_the_store_is_named_continues(
    tmp_path: Path, empty_database_url: str
) -> None:
    """The id of the database is written to the empty store."""
    first = start(tmp_path / "s", empty_database_url)
    shutil.rmtree(tmp_path / "s/blobs")
    start(tmp_path / "s", empty_database_url)
    assert store_id(tmp_path / "s") == first


def test_a_new_database_on_a_kept_store_is_refused(
    tmp_path: Path, two_seconds: Path, fresh_postgres: str
) -> None:
    """Another database mode at an upgrade: no file is changed, and the message says what to do."""
    with running(tmp_path / "s") as api:
        library_clip(api.user()[1], two_seconds)
    before = files(tmp_path / "s")
    for _ in range(2):
        with pytest.raises(StartRefused) as refused:
            start(tmp_path / "s", fresh_postgres)
    known = store_id(tmp_path / "s")
    assert f"CLIPMILL_ADOPT_STORE={known}" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert files(tmp_path / "s") == before
    assert start(tmp_path / "s", fresh_postgres, adopt_store=known) == known
    start(tmp_path / "s", fresh_postgres)
    assert files(tmp_path / "s") == before


def test_the_store_of_another_installation_is_refused(
    tmp_path: Path, empty_database_url: str
) -> None:
    """Two releases on one bucket: the second does not start."""
    start(tmp_path / "one", empty_database_url)
    start(tmp_path / "two")
    with pytest.raises(StartRefused, match=store_id(tmp_path / "two")):
        start(tmp_path / "two", empty_database_url)


@pytest.mark.parametrize("lost", [False, True])
def test_a_store_without_a_name_needs_the_blobs_of_the_database(
    tmp_path: Path, two_seconds: Path, lost: bool
) -> None:
    """Such as that of release 0.1.0; an empty volume in its place is refused."""
    state = tmp_path / "s"
    with running(state) as api:
        library_clip(api.user()[1], two_seconds)
        own = store_id(state)
    shutil.rmtree(state / "blobs/.clipmill")
    if not lost:
        start(state)
        assert store_id(state) == own
        return
    shutil.rmtree(state / "blobs")
    with pytest.raises(StartRefused, match=own):
        start(state)
    start(state, adopt_store=own)
    assert store_id(state) == own


def test_unknown_blobs_without_a_name_are_refused(tmp_path: Path) -> None:
    """A new database does not take over the store of an installation of release 0.1.0."""
    blob = tmp_path / "blobs/ada" / ("a" * 64)
    blob.parent.mkdir(parents=True)
    blob.write_bytes(b"bytes")
    with pytest.raises(StartRefused):
        start(tmp_path)
    assert blob.read_bytes() == b"bytes"


@pytest.mark.parametrize("stray", ["README", "lost+found/x/y", ".hidden", "a/b/c/d", "ada/short"])
def test_stray_files_stop_nothing(tmp_path: Path, stray: str) -> None:
    """What is not a blob is no reason to refuse a start."""
    path = tmp_path / "blobs" / stray
    path.parent.mkdir(parents=True)
    path.write_text("stray")
    start(tmp_path)
    assert path.read_text() == "stray"


def test_the_program_says_so_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pod and `clipmill serve` exit with 2 and a sentence instead of a traceback."""
    start(tmp_path)
    (tmp_path / "clipmill.db").unlink()
    keys = {"CLIPMILL_ADMIN_KEY": new_key("admin"), "CLIPMILL_OPERATOR_KEY": new_key("operator")}
    assert api_main.main({**keys, "CLIPMILL_STATE": str(tmp_path)}) == 2
    error = capsys.readouterr().err
    assert error.startswith("clipmill-api: blob store ")
    assert error.count("\n") == 1
    done = clipmill("serve", "--state", str(tmp_path), "--port", "0", env=keys)
    assert done.code != 0
    assert "CLIPMILL_ADOPT_STORE=" in " ".join(done.lines)


def test_a_newer_database_is_refused_in_one_line(
    tmp_path: Path, empty_database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A database that a later release has migrated stays as it is."""
    start(tmp_path / "s", empty_database_url, "UPDATE alembic_version SET version_num = '9999'")
    keys = {"CLIPMILL_ADMIN_KEY": new_key("admin"), "CLIPMILL_OPERATOR_KEY": new_key("operator")}
    environ = {**keys, "CLIPMILL_STATE": str(tmp_path / "s"), "DATABASE_URL": empty_database_url}
    assert api_main.main(environ) == 2
    error = capsys.readouterr().err
    assert "the database has version 9999" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("complete", [True, False])
def test_release_0_1_0_is_adopted_with_its_own_store(tmp_path: Path, complete: bool) -> None:
    """The database of 0.1.0 has no id; its media files prove that the store is its own."""
    restore_release("0.1.0", tmp_path, with_blobs=complete)
    if complete:
        assert start(tmp_path) == store_id(tmp_path)
        return
    with pytest.raises(StartRefused):
        start(tmp_path)
