"""`clipmill admin import-legacy` on a database made from the predecessor's schema."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

import examples
from clipmaker import ffmpeg
from clipmill.protocol import Media, MediaKind, TierView, UserView
from clipmill.spec import Manifest
from clipmill_cli.commands import reference_page
from clipmill_cli.legacy_import import legacy_database
from clipmill_client import Client, RetryableError
from clipmill_client.transfer import sha256_of
from commandline import Completed, clipmill
from examples import indented
from harness import Harness, running
from manifests import ROOT
from predecessor import Predecessor, predecessor

PAGE = (ROOT / "docs/migration.md").read_text()
BLOCKS = dict(re.findall(r"<!-- test: ([a-z ]+) -->\n *```(?:sh|sql)\n(.*?)```", PAGE, re.DOTALL))
SECRETS = ("SECRET-HASH", "SECRET-TOTP", "SECRET-LOG", "example.org")
TABLES = ("tiers", "users", "media", "uploads", "keys", "render_usage", "render_windows")


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Harness]:
    """An API of its own. Its statements run on each database in test_usage_import.py."""
    with running(tmp_path / "state") as harness:
        yield harness


@pytest.fixture
def old(new_postgres: Callable[[], str], tmp_path: Path, two_seconds: Path) -> Predecessor:
    """A database and a storage folder of the predecessor."""
    music = tmp_path / "music.wav"
    ffmpeg("-f", "lavfi", "-i", "sine=d=3", str(music))
    return predecessor(new_postgres(), tmp_path / "old", two_seconds, music)


def run(api: Harness, old: Predecessor, *words: str | Path) -> tuple[Completed, dict[str, Any]]:
    """Run the command with all folders; return what it did, and its report."""
    env = {
        "CLIPMILL_API_URL": api.url,
        "CLIPMILL_ADMIN_KEY": api.settings.admin_key,
        "CLIPMILL_LEGACY_DATABASE_URL": old.url,
    }
    folders = ("--media", old.storage, "--manifests", old.storage.parent / "projects")
    words = (*words, "-o", "json")
    done = clipmill("admin", "import-legacy", *folders, *words, env=env)
    return done, json.loads(done.out) if done.out else {}


def actions(report: dict[str, Any], kind: str) -> dict[Any, str]:
    """Return the actions for the rows of a kind, by their ids; the last of a public file."""
    return {item["legacyId"]: item["action"] for item in report["items"] if item["kind"] == kind}


def reason(report: dict[str, Any], kind: str, legacy_id: int) -> str:
    """Return why a row was kept or skipped."""
    items = [i for i in report["items"] if (i["kind"], i["legacyId"]) == (kind, legacy_id)]
    return str(items[0]["reason"])


def notes(report: dict[str, Any], kind: str, legacy_id: int) -> str:
    """Return what is not the same here."""
    items = [i for i in report["items"] if (i["kind"], i["legacyId"]) == (kind, legacy_id)]
    return " ".join(items[0]["notes"])


def contents(api: Harness) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of our tables."""
    return {table: api.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in TABLES}


def legacy_rows(old: Predecessor) -> list[Any]:
    """Return the predecessor's rows."""
    tables = ("tiers", "users", "media_files", "projects", "clips", "render_usage")
    with psycopg.connect(old.url) as connection:
        return [connection.execute(f"SELECT * FROM {t} ORDER BY id").fetchall() for t in tables]


def test_a_dry_run_writes_nothing(target: Harness, old: Predecessor) -> None:
    """It says what would be created, kept and skipped, and why; no secret is in it."""
    before, rows = contents(target), legacy_rows(old)
    done, report = run(target, old)
    assert (done.code, report["dryRun"]) == (3, True), done.err
    assert (contents(target), legacy_rows(old)) == (before, rows)
    assert not (old.storage.parent / "projects").exists()
    assert actions(report, "tier") == {1: "Keep", 2: "Create", 3: "Keep"}
    assert actions(report, "user") == {1: "Create", 2: "Create", 3: "Create"}
    created = {key for key, action in actions(report, "media").items() if action == "Create"}
    assert created == {1, 2, 5, 8}
    assert actions(report, "project") == {
        1: "Create",
        2: "Create",
        3: "Skip",
        4: "Create",
        5: "Skip",
    }
    assert {row["table"]: row["rows"] for row in report["omittedTables"]} == {
        "processing_jobs": 2,
        "teams": 1,
    }
    assert [word for word in SECRETS if word in done.out] == []


def test_each_row_is_imported_or_reported(target: Harness, old: Predecessor) -> None:
    """Each row has an item; each skipped one has a reason."""
    _, report = run(target, old, "--apply")
    kinds = {"tier": 3, "user": 3, "media": 11, "project": 5, "clip": 8}
    for kind, count in kinds.items():
        assert set(actions(report, kind)) == set(range(1, count + 1)), kind
    skipped = [item for item in report["items"] if item["action"] == "Skip"]
    assert all(item["reason"] for item in skipped)
    assert "missing" in reason(report, "media", 3)
    assert "[" in reason(report, "media", 4)
    assert "SHA-256" in reason(report, "media", 6)
    assert "--results" in reason(report, "media", 7)
    assert "missing" in reason(report, "media", 9)
    assert "no path" in reason(report, "media", 10)
    assert "bytes" in reason(report, "media", 11)
    assert "neither" in reason(report, "clip", 4)
    assert "fetched from its URL" in notes(report, "clip", 3)
    assert "no effect" in notes(report, "clip", 2)
    assert "99" in reason(report, "project", 5)
    assert "99" in reason(report, "usage", 5)
    assert "-5" in reason(report, "usage", 3)


def test_accounts_and_media_arrive(target: Harness, old: Predecessor, two_seconds: Path) -> None:
    """Limits, names, libraries with their bytes; the keys of the uploads are revoked."""
    run(target, old, "--apply")
    tiers = {tier.name: tier for tier in target.admin.tiers()}
    assert tiers["Creator"] == TierView(
        name="Creator",
        storage_limit_bytes=5_368_709_120,
        max_resolution="2160p",
        max_fps=60,
        max_clips=40,
    )
    assert tiers["Pro"].storage_limit_bytes == 53_687_091_200
    users = {user.name: user.tier for user in target.admin.users()}
    expected = {"ada": "Creator", "ada-2": "Free", "grue-aus-koln": "Free"}
    assert {name: users[name] for name in expected} == expected
    library = {(item.kind, item.filename) for item in target.admin.media("ada").items}
    assert library == {
        (MediaKind.INTRO, "intro.mp4"),
        (MediaKind.CLIP, "clip.mp4"),
        (MediaKind.MUSIC, "song.wav"),
        (MediaKind.OUTRO, "outro.mp4"),
    }
    digests = {item.sha256 for item in target.admin.media("ada-2").items}
    assert digests == {sha256_of(two_seconds)}
    assert len(target.admin.media("ada-2").items) == 2
    used = target.rows("SELECT storage_used_bytes AS n FROM users WHERE name = 'ada'")[0]["n"]
    assert used == sum(item.size_bytes for item in target.admin.media("ada").items)
    assert all(key.revoked_at for name in expected for key in target.admin.keys(name))


def test_usage_arrives_in_its_month(target: Harness, old: Predecessor) -> None:
    """As rows and in the windows of the quota."""
    run(target, old, "--apply")
    windows = target.rows("SELECT owner, month, used_s FROM render_windows ORDER BY 1, 2")
    assert [tuple(row.values()) for row in windows] == [
        ("ada", "2026-01", 120),
        ("ada", "2026-02", 30),
        ("ada-2", "2026-02", 60),
    ]
    rows = target.rows("SELECT seconds FROM render_usage WHERE owner = 'ada' ORDER BY 1")
    assert [row["seconds"] for row in rows] == [30, 120]


def test_projects_become_manifests(target: Harness, old: Predecessor) -> None:
    """They are valid, name the imported media and play what was played there."""
    run(target, old, "--apply")
    folder = old.storage.parent / "projects"
    files = {str(path.relative_to(folder)) for path in folder.rglob("*.*")}
    assert files == {"ada/friday-best-of.yaml", "ada/friday-best-of-2.yaml", "ada-2/links.yaml"}
    text = (folder / "ada/friday-best-of.yaml").read_text()
    assert text.startswith("# Project 1 of the predecessor, status COMPLETED\n# description: two l")
    spec = Manifest.model_validate(yaml.safe_load(text)).spec
    media = {item.kind: item.id for item in target.admin.media("ada").items}
    assert [clip.title for clip in spec.clips] == ["First", "Second", "Missing file"]
    assert [clip.media_id for clip in spec.clips] == [media[MediaKind.CLIP]] * 2 + [None]
    assert spec.clips[2].url == "https://clips.twitch.tv/Missing"
    assert [(clip.start, clip.end) for clip in spec.clips[:2]] == [(None, None), ("0.5s", "1.5s")]
    assert spec.clips[1].credit is not None
    assert spec.clips[1].credit.game == "Counter-Strike: Source"
    assert (spec.title, spec.max_clip_duration) == ("Friday best-of", "30s")
    assert spec.intro is not None
    assert spec.intro.media_id == media[MediaKind.INTRO]
    assert spec.outro is not None
    assert spec.outro.media_id == media[MediaKind.OUTRO]
    assert spec.music is not None
    assert (spec.music.gain, spec.music.starts, spec.music.duck.threshold) == (
        "-10.5dB",
        "AfterIntro",
        "-34dB",
    )
    assert spec.outputs[0].preset == "youtube"
    portrait = yaml.safe_load((folder / "ada/friday-best-of-2.yaml").read_text())["spec"]
    output = portrait["outputs"][0]
    assert (output["width"], output["height"], output["rate"]) == (720, 1280, 30)
    assert (output["zoom"], output["align"]) == (140, "Left")


def test_an_imported_project_is_planned(target: Harness, old: Predecessor) -> None:
    """The API accepts the manifest with the user's media."""
    run(target, old, "--apply")
    path = old.storage.parent / "projects/ada/friday-best-of.yaml"
    manifest = yaml.safe_load(path.read_text())
    manifest["spec"]["clips"] = manifest["spec"]["clips"][:2]
    user = target.client(target.admin.create_key("ada"))
    view = user.create(Manifest.model_validate(manifest))
    submission = next(s for s in target.operator.submissions() if s.id == view.id)
    _, plan = target.register("ada", submission.spec.model_dump(by_alias=True, exclude_none=True))
    # Intro, two clips, outro, of 2 s each but the second, which plays 1 s.
    assert plan.outputs[0].frames == 30 * 7


def test_a_second_import_adds_nothing(target: Harness, old: Predecessor) -> None:
    """All is kept: rows, files, and what was changed here since."""
    run(target, old, "--apply")
    changed = old.storage.parent / "projects/ada-2/links.yaml"
    changed.write_text("mine")
    target.admin.put_user(UserView(name="ada", tier="Pro"))
    before = contents(target)
    for words in (("--apply",), ()):
        done, report = run(target, old, *words)
        assert done.code == 3
        assert {item["action"] for item in report["items"]} == {"Keep", "Skip"}
        after = contents(target)
        broken = {"uploads", "keys"}  # the broken file is refused again, by another key
        assert {k: v for k, v in after.items() if k not in broken} == {
            k: v for k, v in before.items() if k not in broken
        }
    assert changed.read_text() == "mine"
    assert "another content" in reason(report, "project", 4)
    assert "Pro here and Creator there" in notes(report, "user", 1)


def test_an_import_goes_on_with_what_was_missing(
    target: Harness, old: Predecessor, three_seconds: Path
) -> None:
    """A file that is found later is the only one that is added."""
    run(target, old, "--apply")
    before = {item.id for item in target.admin.media("ada").items}
    shutil.copy(three_seconds, old.storage / "uploads/1/gone.mp4")
    with psycopg.connect(old.url) as connection:
        connection.execute("UPDATE media_files SET file_size = NULL WHERE id = 3")
    _, report = run(target, old, "--apply", "--results")
    assert actions(report, "media")[3] == "Create"
    assert actions(report, "media")[7] == "Keep"  # a result with the bytes of the clip
    media = {item.id: item.sha256 for item in target.admin.media("ada").items}
    assert [media[key] for key in media.keys() - before] == [sha256_of(three_seconds)]


def test_users_are_renamed(target: Harness, old: Predecessor) -> None:
    """One name is one person."""
    done, report = run(target, old, "--rename", "ada=ada-lovelace")
    names = {i["legacyId"]: i["target"] for i in report["items"] if i["kind"] == "user"}
    assert names == {1: "ada", 2: "ada-lovelace", 3: "grue-aus-koln"}
    for wrong in ("ada", "=x", "ada=No", "ada=x"):
        done, _ = run(target, old, "--rename", wrong, "--rename", "Ada=x")
        assert done.code == 2, wrong
    done, _ = run(target, old, "--rename", "nobody=x")
    assert done.code == 1
    assert "nobody" in done.err


def test_the_text_says_what_and_why(target: Harness, old: Predecessor) -> None:
    """Rows, sums and tables that are left out."""
    env = {
        "CLIPMILL_API_URL": target.url,
        "CLIPMILL_ADMIN_KEY": target.settings.admin_key,
        "CLIPMILL_LEGACY_DATABASE_URL": old.url.replace("postgresql://", "postgresql+psycopg2://"),
    }
    done = clipmill("admin", "import-legacy", "--media", old.storage, env=env)
    assert done.code == 3
    lines = done.out.splitlines()
    assert "create user    Ada (user 1)" in lines
    assert any(line.startswith("skip   media   ada/gone.mp4 (media 3): ") for line in lines)
    assert any(line.startswith("user    3 create, 0 keep, 0 skip") for line in lines)
    assert any(line.startswith("not imported: 2 rows of processing_jobs: ") for line in lines)
    assert lines[-1].startswith("Dry run")


def test_help_examples(
    target: Harness, old: Predecessor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They run as they are written beside the storage folder; some rows here are unusable."""
    env = {
        "CLIPMILL_API_URL": target.url,
        "CLIPMILL_ADMIN_KEY": target.settings.admin_key,
        "CLIPMILL_LEGACY_DATABASE_URL": old.url,
    }
    monkeypatch.chdir(tmp_path)
    lines = list(indented(reference_page.render_page()))
    commands = [line for line in lines if line.startswith("clipmill admin import-legacy --")]
    assert len(commands) == 2
    assert [examples.run(command, tmp_path, env).code for command in commands] == [3, 3]
    assert len(target.admin.media("ada").items) == 4


def test_a_database_that_cannot_be_read(target: Harness, new_postgres: Callable[[], str]) -> None:
    """One line, without the password; nothing is written."""
    env = {"CLIPMILL_API_URL": target.url, "CLIPMILL_ADMIN_KEY": target.settings.admin_key}
    cases = {
        "": 2,
        "mysql://u:SECRET@h/db": 1,
        "postgresql://u:SECRET@127.0.0.1:1/db": 1,
        "postgresql://u:SECRET@[h/db?x=SECRET": 1,
        new_postgres(): 1,
    }
    for url, code in cases.items():
        env["CLIPMILL_LEGACY_DATABASE_URL"] = url
        done = clipmill("admin", "import-legacy", "--apply", env=env)
        assert (done.code, len(done.lines)) == (code, 1), (url, done.err)
        assert "CLIPMILL_LEGACY_DATABASE_URL" in done.err
        assert "SECRET" not in done.err


def test_a_file_beyond_the_quota_is_imported_later(target: Harness, old: Predecessor) -> None:
    """It is skipped with the API's code, until the tier allows it."""
    with psycopg.connect(old.url) as connection:
        connection.execute("UPDATE tiers SET storage_limit_bytes = 1 WHERE id = 2")
    _, report = run(target, old, "--apply")
    assert "QuotaExceeded" in reason(report, "media", 2)
    assert target.admin.media("ada").items == []
    target.admin.put_tier(TierView(name="Creator"))
    _, report = run(target, old, "--apply")
    assert actions(report, "media")[2] == "Create"
    assert len(target.admin.media("ada").items) == 4


def test_an_interrupted_import_goes_on(
    target: Harness, old: Predecessor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The API is lost at the third upload: the key is revoked, the next import adds the rest."""
    uploads: list[str] = []
    upload = Client.upload_media

    def lose_the_api(client: Client, path: Path, kind: MediaKind, *words: Any) -> Media:
        uploads.append(path.name)
        if len(uploads) == 3:
            raise RetryableError("Unavailable", "the API cannot be reached")
        return upload(client, path, kind, *words)

    monkeypatch.setattr(Client, "upload_media", lose_the_api)
    done, _ = run(target, old, "--apply")
    assert (done.code, len(done.lines)) == (1, 1), done.err
    assert [bool(key.revoked_at) for key in target.admin.keys("ada")] == [True]
    _, report = run(target, old, "--apply")
    assert [actions(report, "media")[key] for key in (2, 5)] == ["Keep", "Create"]
    assert len(target.admin.media("ada").items) == 4
    assert target.rows("SELECT sum(used_s) AS n FROM render_windows")[0]["n"] == 210


def test_the_predecessor_cannot_be_changed(old: Predecessor) -> None:
    """Its transaction is read-only, and each statement has a time limit."""
    with legacy_database.connect_read_only(old.url) as connection:
        limits = connection.execute("SELECT current_setting('statement_timeout') AS t").fetchone()
        assert limits == {"t": "2min"}
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("DELETE FROM users")


def test_the_commands_of_the_page(target: Harness, old: Predecessor, tmp_path: Path) -> None:
    """All blocks of docs/migration.md, with the role that it creates."""
    with psycopg.connect(old.url, autocommit=True) as connection:
        connection.execute(BLOCKS["role"])
    folder = tmp_path / "work"
    folder.mkdir()
    env = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "CLIPMILL_API_URL": target.url,
        "CLIPMILL_ADMIN_KEY": target.settings.admin_key,
        "CLIPMILL_LEGACY_DATABASE_URL": old.url.replace("postgres:", "clipmill_import:", 1),
        "OLD_FOLDER": str(old.storage),
    }
    printed = {}
    for block in ("dry run", "import", "check", "try"):
        argv = ("sh", "-euc", textwrap.dedent(BLOCKS[block]))
        done = subprocess.run(
            argv, env=env, cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (block, done.stdout, done.stderr)
        printed[block] = done.stdout
    assert "create user    Ada (user 1)" in printed["dry run"]
    assert len(list((folder / "projects").rglob("*.yaml"))) == 3
    assert "song.wav" in printed["try"]
    report = json.loads((folder / "import.json").read_text())
    assert {user["target"] for user in report["items"] if user["kind"] == "user"} == {
        "ada",
        "ada-2",
        "grue-aus-koln",
    }
    # The role cannot read the others, so they are not counted.
    assert report["omittedTables"] == []
