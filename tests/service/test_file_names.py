"""Names of local files: whatever a file system allows, and what the library keeps of them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from clipmill_cli.local import prepared_manifest
from clipmill_cli.output import listings, terminal
from commandline import ENTRY
from harness import Harness, new_manifest

# The name of a file, and its name in the library.
NAMES = {
    "line\nbreak.mp4": "line break.mp4",
    "tab\tand\x1b[31mcolour.mp4": "tab and [31mcolour.mp4",
    "delete\x7f.mp4": "delete .mp4",
    "family \U0001f468\u200d\U0001f469\u200d\U0001f467.mp4": None,
    "right-to-left \u05e2\u05d1\u05e8\u05d9\u05ea.mp4": None,
    "quotes 'single' \"double\" `back`.mp4": None,
    "percent %20 100%.mp4": None,
    "query?part#hash&more=1.mp4": None,
    "back\\slash $HOME; *.mp4": None,
    "colon: part one.mp4": None,
    "-dash.mp4": None,
    "~tilde.mp4": None,
    " spaces .mp4": None,
    "m-0123456789abcdef": None,
    "n" * 251 + ".mp4": None,
    "\u00e9" * 125 + ".mp4": None,
}
NOT_UTF8 = b"\xff\xfe caf\xe9.mp4"


@pytest.fixture
def folder(tmp_path: Path, two_seconds: Path) -> Path:
    """A clip under each name."""
    for name in [*(os.fsencode(name) for name in NAMES), NOT_UTF8]:
        shutil.copy(two_seconds, os.fsencode(tmp_path) + b"/" + name)
    return tmp_path


def _prepared(folder: Path, url: str) -> prepared_manifest.PreparedManifest:
    document = new_manifest("m-abcd").model_dump(mode="json", by_alias=True, exclude_none=True)
    document["spec"]["clips"] = [{"url": url}]
    path = folder / "manifest.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return prepared_manifest.prepare(path)


@pytest.mark.parametrize("name", NAMES, ids=lambda name: repr(name)[:30])
def test_a_file_of_any_name_is_uploaded(name: str, folder: Path, api: Harness) -> None:
    """Control characters of the name become spaces."""
    _, user = api.user()
    clip = _prepared(folder, name).upload(user).spec.clips[0]
    assert user.media(str(clip.media_id)).filename == (NAMES[name] or name)


def test_a_name_that_is_not_utf8_is_written_as_a_url(folder: Path, api: Harness) -> None:
    """In YAML there is no other way; the library keeps it with question marks."""
    _, user = api.user()
    prepared = _prepared(folder, "file:%FF%FE%20caf%E9.mp4")
    media = user.media(str(prepared.upload(user).spec.clips[0].media_id))
    assert media.filename == "?? caf?.mp4"


def test_a_scheme_is_no_file_name(folder: Path) -> None:
    """Only a file that exists has a colon in its name."""
    prepared = _prepared(folder, "https:colon.mp4")
    assert prepared.files == ()


@pytest.mark.parametrize("name", [NOT_UTF8, b"line\nbreak.mp4", b"tab\tand\x1b[31mcolour.mp4"])
def test_arguments_may_have_any_name(name: bytes, folder: Path, tmp_path: Path) -> None:
    """The terminal gets no control characters."""
    state = os.fsencode(tmp_path / "state")
    for words in (["validate"], ["validate", "-o", "json"], ["media", "upload", "--state", state]):
        done = subprocess.run(
            [*ENTRY, *words, name], cwd=folder, capture_output=True, timeout=60, check=False
        )
        assert done.returncode == 0, done
        assert b"\x1b" not in done.stdout


def test_the_library_shows_the_name(
    folder: Path, api: Harness, capsys: pytest.CaptureFixture[str]
) -> None:
    """On one line."""
    _, user = api.user()
    _prepared(folder, "line\nbreak.mp4").upload(user)
    listings.show_media(terminal.console(), user.library().items)
    assert "line break.mp4" in capsys.readouterr().out
