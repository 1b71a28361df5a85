"""`render` and `plan` on this machine: files, exit codes, reuse, and going on after Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

import clipmaker
from commandline import Completed, clipmill, manifest_file, started
from sources_server import Served, serving

FADE = {"type": "Fade", "duration": "200ms"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips and manifests."""
    found = tmp_path_factory.mktemp("work")
    clipmaker.clip(found / "a.mp4", rate="25", picture=clipmaker.counter())
    clipmaker.clip(found / "b.mp4", seconds=1, rate="60", sound=None)
    clipmaker.cut_file(found / "a.mp4", found / "cut.mp4", 0.6)
    return found


@pytest.fixture(scope="module")
def web(folder: Path) -> Iterator[Served]:
    """The same clips on a web server."""
    with serving(folder) as served:
        yield served


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One state for all runs, as a person has."""
    return tmp_path_factory.mktemp("state")


def render(manifest: Path, out: Path, state: Path, *more: str) -> Completed:
    """`clipmill render`."""
    return clipmill("render", manifest, "-o", out, "--state", state, *more)


def test_files_of_this_machine_become_a_video_once(folder: Path, state: Path) -> None:
    """Frames by the timeline's arithmetic; a second run renders nothing; plan says so before."""
    clips = [{"url": "a.mp4"}, {"url": str(folder / "b.mp4"), "transition": FADE}]
    manifest = manifest_file(folder / "first.yaml", clips)
    out = folder / "out"
    said = render(manifest, out, state)
    assert (said.code, "first: complete" in said.out) == (0, True), said
    report = json.loads((out / "report.json").read_text())
    assert (report["state"], report["degraded"]) == ("Succeeded", False)
    output = report["outputs"][0]
    files = output["files"]
    assert (files["video"], files["thumbnail"]) == ("main.mp4", "main.jpg")
    assert files["storyboard"] == "main-storyboard.png"
    assert all((out / name).stat().st_size for name in files.values())
    assert output["frames"] == 60 + 30 - 6 == len(clipmaker.frame_times(out / "main.mp4"))
    assert [entry["at"] for entry in output["timeline"]] == [0, 54]
    assert report["segments"] == {"total": 3, "reused": 0, "rendered": 3}
    assert report["seconds"]["assemble"] > 0
    with Image.open(out / "main-storyboard.png") as board:
        assert board.format == "PNG"
    planned = json.loads(clipmill("plan", manifest, "--state", state, "-o", "json").out)
    assert planned["outputs"][0]["segments"]["reused"] == 3
    assert render(manifest, out, state).code == 0
    again = json.loads((out / "report.json").read_text())
    assert again["segments"] == {"total": 3, "reused": 3, "rendered": 0}


def test_a_skipped_clip_is_degraded_and_exit_code_3(folder: Path, state: Path, web: Served) -> None:
    """Its reason is said, on the screen and in the report; the private address is said too."""
    clips = [{"url": "a.mp4"}, {"name": "torn", "url": web.url("cut.mp4")}]
    manifest = manifest_file(folder / "second.yaml", clips)
    said = render(manifest, folder / "out2", state, "--allow-private", web.place, "--json")
    assert said.code == 3, said
    report = json.loads(said.out)
    assert (report["state"], report["degraded"]) == ("Succeeded", True)
    torn = report["clips"][1]
    assert (torn["name"], torn["state"], torn["reason"]) == ("torn", "Skipped", "Truncated")
    assert f"{web.place} is private and let in" in said.err
    assert "skipped torn: Truncated: " in said.err


def test_too_few_good_clips_fail_with_exit_code_1(folder: Path, state: Path, web: Served) -> None:
    """Nothing is left that looks like a result."""
    clips = [{"url": web.url("cut.mp4")}]
    manifest = manifest_file(folder / "third.yaml", clips)
    said = render(manifest, folder / "out3", state, "--allow-private", web.place)
    assert (said.code, "TooFewClips: 0 of 1 clips are good" in said.out) == (1, True), said
    assert sorted(path.name for path in (folder / "out3").iterdir()) == ["report.json"]


def test_ctrl_c_leaves_no_child_and_the_next_run_goes_on(folder: Path, tmp_path: Path) -> None:
    """Interrupted between two segments: exit 130; the same command renders only what is missing."""
    shape = {"name": "main", "preset": "custom", "width": 1280, "height": 720, "rate": 30}
    clips = [{"url": "a.mp4", "start": f"{i * 300}ms"} for i in range(6)]
    manifest = manifest_file(folder / "long.yaml", clips, outputs=[shape])
    words = ("render", manifest, "-o", tmp_path / "out", "--state", tmp_path / "state")
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    with started(*words, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        _wait_for_a_segment(tmp_path / "state" / "clipmill.db", run)
        _interrupt(run, tmp_path / "state")
    assert clipmill(*words).code == 0
    segments = json.loads((tmp_path / "out" / "report.json").read_text())["segments"]
    assert segments["total"] == 6
    assert segments["reused"] >= 1


def test_ctrl_c_in_a_fetch_leaves_no_child_and_the_next_run_goes_on(
    folder: Path, tmp_path: Path, web: Served
) -> None:
    """What was fetched before is not fetched again, and the downloader is gone as well."""
    clips = [{"url": web.url("b.mp4")}, {"url": web.url("endless.mp4")}]
    manifest = manifest_file(tmp_path / "stuck.yaml", clips)
    words = ("render", manifest, "-o", tmp_path / "out", "--state", tmp_path / "state")
    more = ("--allow-private", web.place, "--workers", "1")
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    with started(*words, *more, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        _patient(lambda: web.requests_of("endless.mp4"), run)
        _interrupt(run, tmp_path / "state")
    before = web.requests_of("b.mp4")
    manifest_file(manifest, [{"url": web.url("b.mp4")}])
    assert clipmill(*words, *more).code == 0
    assert web.requests_of("b.mp4") == before
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert (report["clips"][0]["reused"], report["outputs"][0]["frames"]) == (True, 30)


def _interrupt(run: subprocess.Popen[str], state: Path) -> None:
    """Press Ctrl-C twice: one line, exit code 130, and nobody is left."""
    run.send_signal(signal.SIGINT)
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=60)
    said = "clipmill: interrupted; the same command goes on from what is finished"
    assert (run.returncode, err.splitlines()[-1]) == (130, said)
    assert "Traceback" not in err
    assert _working_in(state) == []


def _wait_for_a_segment(database: Path, run: subprocess.Popen[str]) -> None:
    """Until a segment is kept, and not all of them."""

    def count() -> int:
        try:
            with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
                return int(db.execute("SELECT count(*) FROM segments").fetchone()[0])
        except sqlite3.OperationalError:
            return 0

    assert _patient(count, run) < 6


def _patient(count: Callable[[], int], run: subprocess.Popen[str]) -> int:
    """The count, once it is above 0."""
    looking = Retrying(
        retry=retry_if_result(lambda found: found == 0),
        wait=wait_fixed(0.02),
        stop=stop_after_delay(120),
    )

    def looked() -> int:
        assert run.poll() is None, "it ended before it could be interrupted"
        return count()

    return looking(looked)


def _working_in(folder: Path) -> list[str]:
    """Processes whose working folder lies in this one."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink().is_relative_to(folder):
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found
