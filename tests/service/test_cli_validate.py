"""`clipmill validate`: there, not empty, readable, decodable to its end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

import clipmaker
import levels
from commandline import clipmill

BAD = {
    "cut.mp4": ("Truncated", "cut.mp4: "),
    "empty.mp4": ("Empty", "empty.mp4: "),
    "text.mp4": ("NotMedia", "text.mp4: not a video"),
    "gone.mp4": ("Missing", "gone.mp4: there is no such file"),
    "folder": ("NotMedia", "FOLDER/folder: is a folder, not a file"),
    "list.mp4": ("ForbiddenFormat", "list.mp4: a HLS playlist names other files; not read"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good clip, and some that are not."""
    found = tmp_path_factory.mktemp("work")
    good = clipmaker.clip(found / "good.mp4", rate="25")
    clipmaker.cut_file(good, found / "cut.mp4", 0.6)
    (found / "empty.mp4").write_bytes(b"")
    (found / "text.mp4").write_text("no video, however it is called\n" * 9)
    (found / "list.mp4").write_text("#EXTM3U\n#EXTINF:2,\nfile:///etc/hostname\n")
    (found / "folder").mkdir()
    return found


def test_a_good_file_is_described(folder: Path) -> None:
    """In one line, or as data with every fact."""
    said = clipmill("validate", folder / "good.mp4")
    assert said.code == 0
    assert "good. 2.00 s, 320x180, 25 frames/s, h264, aac, " in " ".join(said.out.split())
    facts = json.loads(clipmill("validate", folder / "good.mp4", "-o", "json").out)
    assert (facts["valid"], facts["frames"], facts["width"]) == (True, 50, 320)


@pytest.mark.parametrize("file", BAD)
def test_a_bad_file_is_named_with_what_is_wrong(file: str, folder: Path) -> None:
    """One line and exit code 1; as data, with a stable code."""
    code, words = BAD[file]
    said = clipmill("validate", folder / file)
    assert (said.code, len(said.lines), said.out) == (1, 1, "")
    assert said.lines[0].startswith(f"clipmill: {words.replace('FOLDER', str(folder))}")
    found = json.loads(clipmill("validate", folder / file, "-o", "json").out)
    assert found["valid"] is False
    assert found["code"] == code


def test_music_and_images_are_checked_as_what_they_are(folder: Path) -> None:
    """Sound alone is no clip, but good music; an image has its size; each by the kind asked for."""
    levels.track(folder / "track.mp3", levels.tone(300, 2))
    Image.new("RGB", (40, 20)).save(folder / "logo.png")
    said = clipmill("validate", folder / "track.mp3", "--kind", "music")
    assert said.code == 0, said
    assert "good. 2.00 s, mp3" in " ".join(said.out.split())
    refused = clipmill("validate", folder / "track.mp3")
    assert (refused.code, "[NoVideo]" in refused.err, "music" in refused.err) == (1, True, True)
    assert "good. 40x20, png" in clipmill("validate", folder / "logo.png", "--kind", "image").out
    cut = clipmaker.cut_file(folder / "logo.png", folder / "half.png", 0.6)
    assert "[Damaged]" in clipmill("validate", cut, "--kind", "image").err
