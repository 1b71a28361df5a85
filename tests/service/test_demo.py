"""`./run demo`, once for real: the first thing that a person sees of this project."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from PIL import Image

import clipmaker
from clipmill_cli.demo import clip_recipes
from clipmill_cli.local import manifest_file
from commandline import clipmill

DEMO = (sys.executable, "-m", "clipmill_cli.demo")


def demo(folder: Path) -> str:
    """Run it in its folder, as `./run demo` does in the clone; what it prints."""
    env = {"PATH": os.environ["PATH"], "HOME": str(folder / "nowhere"), "LANG": "C.UTF-8"}
    done = subprocess.run(DEMO, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert not (folder / "nowhere").exists()
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where it runs."""
    return tmp_path_factory.mktemp("clone")


@pytest.fixture(scope="module")
def said(folder: Path) -> str:
    """What the first run prints."""
    return demo(folder)


def test_the_first_run_shows_plan_result_and_what_next(said: str, folder: Path) -> None:
    """Fetched over HTTP, two videos of equal length, and the broken clip with its reason."""
    assert "9 made, 0 made before" in said
    assert "is private and let in by CLIPMILL_ALLOW_PRIVATE" in said
    assert "skipped broken: Truncated: " in said
    assert "6 clips fetched from 127.0.0.1:" in said
    assert "22 segments rendered, 0 reused" in said
    report = json.loads((folder / "demo/out/report.json").read_text())
    assert [clip["reason"] for clip in report["clips"]].count("Truncated") == 1
    frames = [output["frames"] for output in report["outputs"]]
    assert frames == [2 * 60 + 5 * 120 - 2 * 15 + 2 * 18] * 2
    for output in report["outputs"]:
        video = folder / "demo/out" / output["files"]["video"]
        assert len(clipmaker.frame_times(video)) == output["frames"]
        assert abs(output["loudnessLufs"] + 14) < 0.5


def test_the_storyboard_shows_clips_of_different_colours(said: str, folder: Path) -> None:
    """Sixteen moments, most of them unlike."""
    with Image.open(folder / "demo/out/main-storyboard.png") as board:
        small = board.convert("RGB").resize((4, 4))
        assert len(small.getcolors() or []) >= 10


def test_its_manifest_is_one_of_kubectls(said: str, folder: Path) -> None:
    """And names only what was let in."""
    made = manifest_file.load(folder / "demo/demo.yaml")
    assert [clip.name for clip in made.spec.clips] == [recipe.name for recipe in clip_recipes.CLIPS]
    raw = yaml.safe_load((folder / "demo/demo.yaml").read_text())
    assert all(clip["url"].startswith("http://127.0.0.1:") for clip in raw["spec"]["clips"])


def test_the_next_command_is_true(said: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another order of the same clips: nothing is fetched and nothing rendered."""
    monkeypatch.chdir(folder)
    command = shlex.split(said.strip().splitlines()[-1])
    assert command[0].endswith("clipmill")
    assert clipmill(*command[1:]).code == 0
    report = json.loads((folder / "demo/reordered/report.json").read_text())
    assert report["segments"] == {"total": 22, "reused": 22, "rendered": 0}


def test_a_second_run_reuses_all_and_says_so(said: str, folder: Path) -> None:
    """Only the broken clip is tried again."""
    again = demo(folder)
    assert "0 made, 9 made before" in again
    assert "1 clips fetched from 127.0.0.1:" in again
    assert "5 were here before; 0 segments rendered, 22 reused" in again
