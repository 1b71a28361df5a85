"""`render` and `plan` on this machine: files, exit codes, reuse, and continuing after Ctrl-C."""

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
from sources_server import SourceServer, serve_sources

FADE = {"type": "Fade", "duration": "200ms"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips, and a truncated one."""
    path = tmp_path_factory.mktemp("work")
    clipmaker.clip(path / "a.mp4", rate="25", picture=clipmaker.counter())
    clipmaker.clip(path / "b.mp4", seconds=1, rate="60", sound=None)
    clipmaker.truncate_file(path / "a.mp4", path / "cut.mp4", 0.6)
    return path


@pytest.fixture(scope="module")
def web(folder: Path) -> Iterator[SourceServer]:
    """The same clips on a web server."""
    with serve_sources(folder) as server:
        yield server


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One state folder for all renders."""
    return tmp_path_factory.mktemp("state")


def render(manifest: Path, out: Path, state: Path, *more: str) -> Completed:
    """Run `clipmill render`."""
    return clipmill("render", manifest, "-o", out, "--state", state, *more)


def test_local_files_are_rendered_once(folder: Path, state: Path) -> None:
    """The frames are those of the timeline; a second run renders nothing, as `plan` shows."""
    clips = [{"url": "a.mp4"}, {"url": str(folder / "b.mp4"), "transition": FADE}]
    manifest = manifest_file(folder / "first.yaml", clips)
    out = folder / "out"
    done = render(manifest, out, state)
    assert (done.code, "first: Succeeded" in done.out) == (0, True), done
    report = json.loads((out / "report.json").read_text())
    assert (report["state"], report["degraded"]) == ("Succeeded", False)
    output = report["outputs"][0]
    files = output["files"]
    assert (files["video"], files["thumbnail"]) == ("main.mp4", "main.jpg")
    assert files["storyboard"] == "main-storyboard.png"
    assert all((out / name).stat().st_size for name in files.values())
    assert output["frames"] == 60 + 30 - 6 == len(clipmaker.frame_times(out / "main.mp4"))
    assert [item["at"] for item in output["timeline"]] == [0, 54]
    assert report["segments"] == {"total": 3, "reused": 0, "rendered": 3}
    assert report["seconds"]["assemble"] > 0
    with Image.open(out / "main-storyboard.png") as board:
        assert board.format == "PNG"
    plan = json.loads(clipmill("plan", manifest, "--state", state, "-o", "json").out)
    assert plan["outputs"][0]["segments"]["reused"] == 3
    assert render(manifest, out, state).code == 0
    second = json.loads((out / "report.json").read_text())
    assert second["segments"] == {"total": 3, "reused": 3, "rendered": 0}


def test_a_skipped_clip_gives_exit_code_3(folder: Path, state: Path, web: SourceServer) -> None:
    """The terminal and the report name its reason; the plan notes the private address."""
    clips = [{"url": "a.mp4"}, {"name": "torn", "url": web.url("cut.mp4")}]
    manifest = manifest_file(folder / "second.yaml", clips)
    done = render(manifest, folder / "out2", state, "--allow-private", web.address, "--json")
    assert done.code == 3, done
    report = json.loads(done.out)
    assert (report["state"], report["degraded"]) == ("Succeeded", True)
    torn = report["clips"][1]
    assert (torn["name"], torn["state"], torn["reason"]) == ("torn", "Skipped", "Truncated")
    assert web.address in torn["note"]
    assert "  skipped torn: Truncated: " in done.err


def test_too_few_clips_give_exit_code_1(folder: Path, state: Path, web: SourceServer) -> None:
    """Only the report is written."""
    clips = [{"url": web.url("cut.mp4")}]
    manifest = manifest_file(folder / "third.yaml", clips)
    done = render(manifest, folder / "out3", state, "--allow-private", web.address)
    assert (done.code, "third: Failed" in done.out) == (1, True), done
    assert sorted(path.name for path in (folder / "out3").iterdir()) == ["report.json"]
    report = json.loads((folder / "out3" / "report.json").read_text())
    assert (report["state"], report["reason"]) == ("Failed", "TooFewClips")


def test_ctrl_c_in_a_render_ends_all_jobs_and_the_next_run_continues(
    folder: Path, tmp_path: Path
) -> None:
    """Interrupted between two segments, the same command renders only the missing ones."""
    output = {"name": "main", "preset": "custom", "width": 1280, "height": 720, "rate": 30}
    clips = [{"url": "a.mp4", "start": f"{i * 300}ms"} for i in range(6)]
    manifest = manifest_file(folder / "long.yaml", clips, outputs=[output])
    words = ("render", manifest, "-o", tmp_path / "out", "--state", tmp_path / "state")
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    with started(*words, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        database = tmp_path / "state" / "clipmill.db"
        assert _wait_for(lambda: _segments_in(database), run) < 6
        _interrupt(run, tmp_path / "state")
    assert clipmill(*words).code == 0
    segments = json.loads((tmp_path / "out" / "report.json").read_text())["segments"]
    assert segments["total"] == 6
    assert segments["reused"] >= 1


def test_ctrl_c_in_a_fetch_ends_all_jobs_and_the_next_run_continues(
    folder: Path, tmp_path: Path, web: SourceServer
) -> None:
    """Fetched clips are not fetched again, and the downloader has ended too."""
    clips = [{"url": web.url("b.mp4")}, {"url": web.url("endless.mp4")}]
    manifest = manifest_file(tmp_path / "stuck.yaml", clips)
    words = ("render", manifest, "-o", tmp_path / "out", "--state", tmp_path / "state")
    more = ("--allow-private", web.address, "--workers", "1")
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    with started(*words, *more, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        _wait_for(lambda: web.requests_of("endless.mp4"), run)
        _interrupt(run, tmp_path / "state")
    before = web.requests_of("b.mp4")
    manifest_file(manifest, [{"url": web.url("b.mp4")}])
    assert clipmill(*words, *more).code == 0
    assert web.requests_of("b.mp4") == before
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert (report["clips"][0]["reused"], report["outputs"][0]["frames"]) == (True, 30)


def _interrupt(run: subprocess.Popen[str], state: Path) -> None:
    """Press Ctrl-C twice: the exit code is 130, and no process is left."""
    run.send_signal(signal.SIGINT)
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=60)
    assert run.returncode == 130, err
    assert [line.startswith("clipmill: ") for line in err.splitlines()].count(True) == 1
    assert "Traceback" not in err
    assert _processes_in(state) == []


def _segments_in(database: Path) -> int:
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM segments").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def _wait_for(count: Callable[[], int], run: subprocess.Popen[str]) -> int:
    """Return the count once it is above 0."""
    retrying = Retrying(
        retry=retry_if_result(lambda value: value == 0),
        wait=wait_fixed(0.02),
        stop=stop_after_delay(120),
    )

    def read() -> int:
        assert run.poll() is None, "the run ended before it could be interrupted"
        return count()

    return retrying(read)


def _processes_in(folder: Path) -> list[str]:
    """Return the command lines of processes whose working folder is below this one."""
    commands = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink().is_relative_to(folder):
                commands.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return commands
