"""`./run demo` as a process: its videos, and what a second run reuses."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import clipmaker
from clipmill_cli.demo import clip_recipes
from clipmill_cli.local import manifest_file
from commandline import clipmill

DEMO = (sys.executable, "-m", "clipmill_cli.demo")


def demo(folder: Path) -> str:
    """Run the demo in this folder, as `./run demo` does in a clone; return its output."""
    env = {"PATH": os.environ["PATH"], "HOME": str(folder / "nowhere"), "LANG": "C.UTF-8"}
    done = subprocess.run(DEMO, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert not (folder / "nowhere").exists()
    return done.stdout


def report(folder: Path) -> dict[str, Any]:
    """Return the report of the last run."""
    report: dict[str, Any] = json.loads((folder / "demo/out/report.json").read_text())
    return report


def modified_at(folder: Path) -> dict[str, int]:
    """Return the modification times of the generated clips."""
    return {path.name: path.stat().st_mtime_ns for path in (folder / "demo/clips").iterdir()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the demo runs."""
    return tmp_path_factory.mktemp("clone")


@pytest.fixture(scope="module")
def output(folder: Path) -> str:
    """The output of the first run."""
    return demo(folder)


def test_the_first_run_renders_two_videos(output: str, folder: Path) -> None:
    """The clips are generated and fetched; the broken one is skipped with its reason."""
    assert len(modified_at(folder)) == len(clip_recipes.ALL) == 9
    assert "skipped broken: Truncated: " in output
    first = report(folder)
    assert [clip["reason"] for clip in first["clips"]].count("Truncated") == 1
    assert not any(clip["reused"] for clip in first["clips"])
    assert first["segments"] == {"total": 22, "reused": 0, "rendered": 22}
    frames = [result["frames"] for result in first["outputs"]]
    assert frames == [2 * 60 + 5 * 120 - 2 * 15 + 2 * 18] * 2
    for result in first["outputs"]:
        video = folder / "demo/out" / result["files"]["video"]
        assert len(clipmaker.frame_times(video)) == result["frames"]
        assert abs(result["loudnessLufs"] + 14) < 0.5


@pytest.mark.usefixtures("output")
def test_the_storyboard_shows_clips_of_different_colours(folder: Path) -> None:
    """Most of its sixteen frames differ."""
    with Image.open(folder / "demo/out/main-storyboard.png") as board:
        small = board.convert("RGB").resize((4, 4))
        assert len(small.getcolors() or []) >= 10


@pytest.mark.usefixtures("output")
def test_its_manifest_is_valid(folder: Path) -> None:
    """Its clips come from the server on loopback."""
    manifest = manifest_file.load(folder / "demo/demo.yaml")
    names = [recipe.name for recipe in clip_recipes.CLIPS]
    assert [clip.name for clip in manifest.spec.clips] == names
    assert all((clip.url or "").startswith("http://127.0.0.1:") for clip in manifest.spec.clips)


def test_the_next_command_reuses_everything(
    output: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last line is a command that renders the clips in another order."""
    monkeypatch.chdir(folder)
    command = shlex.split(output.strip().splitlines()[-1])
    assert command[0].endswith("clipmill")
    assert clipmill(*command[1:]).code == 0
    reordered = json.loads((folder / "demo/reordered/report.json").read_text())
    assert reordered["segments"] == {"total": 22, "reused": 22, "rendered": 0}


@pytest.mark.usefixtures("output")
def test_a_second_run_reuses_everything(folder: Path) -> None:
    """Only the broken clip is fetched again."""
    before = modified_at(folder)
    demo(folder)
    assert modified_at(folder) == before
    second = report(folder)
    assert [clip["name"] for clip in second["clips"] if not clip["reused"]] == ["broken"]
    assert second["segments"] == {"total": 22, "reused": 22, "rendered": 0}
