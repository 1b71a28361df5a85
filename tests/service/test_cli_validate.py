"""`clipmill validate`: exit codes, error codes and facts of files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import clipmaker
import levels
from commandline import clipmill

BAD = {
    "cut.mp4": "Truncated",
    "empty.mp4": "Empty",
    "text.mp4": "NotMedia",
    "gone.mp4": "Missing",
    "folder": "NotMedia",
    "list.mp4": "ForbiddenFormat",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good clip and some unusable files."""
    path = tmp_path_factory.mktemp("work")
    good = clipmaker.clip(path / "good.mp4", rate="25")
    clipmaker.truncate_file(good, path / "cut.mp4", 0.6)
    (path / "empty.mp4").write_bytes(b"")
    (path / "text.mp4").write_text("plain text in a file named .mp4\n" * 9)
    (path / "list.mp4").write_text("#EXTM3U\n#EXTINF:2,\nfile:///etc/hostname\n")
    (path / "folder").mkdir()
    return path


def test_a_good_file_is_described(folder: Path) -> None:
    """One line of facts, or all facts as JSON."""
    done = clipmill("validate", folder / "good.mp4")
    assert (done.code, done.err) == (0, "")
    for fact in ("2.00 s", "320x180", "25 frames/s", "h264", "aac"):
        assert fact in " ".join(done.out.split())
    facts = json.loads(clipmill("validate", folder / "good.mp4", "-o", "json").out)
    assert (facts["valid"], facts["frames"], facts["width"]) == (True, 50, 320)


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_has_its_code(name: str, folder: Path) -> None:
    """Exit code 1 and one line that names the file; as JSON, a stable code."""
    done = clipmill("validate", folder / name)
    assert (done.code, len(done.lines), done.out) == (1, 1, "")
    assert f"{name}: " in done.lines[0]
    facts = json.loads(clipmill("validate", folder / name, "-o", "json").out)
    assert (facts["valid"], facts["code"]) == (False, BAD[name])


def test_the_kind_decides_what_is_valid(folder: Path) -> None:
    """An audio file is valid as music and not as a clip; an image is valid as an image."""
    levels.track(folder / "track.mp3", levels.tone(300, 2))
    Image.new("RGB", (40, 20)).save(folder / "logo.png")
    clipmaker.truncate_file(folder / "logo.png", folder / "half.png", 0.6)
    assert _facts(folder / "track.mp3", "music")["durationUs"] == pytest.approx(2e6, abs=5e4)
    assert _facts(folder / "track.mp3", "clip")["code"] == "NoVideo"
    logo = _facts(folder / "logo.png", "image")
    assert (logo["valid"], logo["width"], logo["height"], logo["format"]) == (True, 40, 20, "png")
    assert _facts(folder / "half.png", "image")["code"] == "Damaged"


def _facts(path: Path, kind: str) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(clipmill("validate", path, "--kind", kind, "-o", "json").out)
    return facts
