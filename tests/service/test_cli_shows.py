"""Shows on a laptop: `discover`, `show run`, `shows`, `approve`, and `serve` with a schedule."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

import clipmaker
from commandline import Completed, clipmill, started
from harness import SMALL
from show_manifests import show_manifest
from sources_server import SourceServer, serve_sources

RSS = """<?xml version="1.0"?>
<rss version="2.0"><channel><title>Clips</title><link>{url}</link>{items}</channel></rss>"""
ITEM = "<item><title>{name} &amp; more</title><link>{link}</link></item>"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two clips."""
    path = tmp_path_factory.mktemp("work")
    for name in ("one", "two"):
        clipmaker.clip(path / f"{name}.mp4", seconds=1)
    return path


@pytest.fixture(scope="module")
def web(folder: Path) -> Iterator[SourceServer]:
    """The clips, and a feed of them."""
    with serve_sources(folder) as server:
        items = "".join(
            ITEM.format(name=name, link=server.url(f"{name}.mp4")) for name in ("one", "two")
        )
        (folder / "feed.xml").write_text(RSS.format(url=server.url(""), items=items))
        yield server


@pytest.fixture
def show(folder: Path, web: SourceServer, tmp_path: Path) -> Path:
    """A show of that feed."""
    return write_show(tmp_path / "weekly.yaml", web)


def write_show(path: Path, web: SourceServer, **fields: Any) -> Path:
    """Write the manifest of a show."""
    spec = {
        "schedule": "0 18 * * FRI",
        "sources": [{"feed": {"url": web.url("feed.xml")}}],
        "select": {"order": "Listed", "most": 2},
        "template": {"title": "Week ${week}", "outputs": [SMALL]},
        **fields,
    }
    path.write_text(yaml.safe_dump(show_manifest(spec, "weekly")))
    return path


def local(command: str, show: Path, state: Path, web: SourceServer, *more: object) -> Completed:
    """Run a command on a state folder, which may reach the server of the test."""
    words = command.split()
    return clipmill(*words, show, "--state", state, "--allow-private", web.address, *more)


def test_discover_shows_what_would_be_taken(show: Path, web: SourceServer, tmp_path: Path) -> None:
    """With the reason of each other candidate; a repetition has the same result."""
    state = tmp_path / "state"
    for _ in range(2):
        done = local("discover", show, state, web, "-o", "json")
        assert done.code == 0, done
        report = json.loads(done.out)
        assert [clip["reason"] for clip in report["candidates"]] == ["", ""]
        assert report["candidates"][0]["title"] == "one & more"
    one = write_show(tmp_path / "one.yaml", web, select={"order": "Listed", "most": 1})
    done = local("discover", one, state, web, "--all")
    assert (done.code, "EnoughClips" in done.out) == (0, True), done


def test_discover_fails_without_enough_clips(web: SourceServer, tmp_path: Path) -> None:
    """With the reason of a source that failed."""
    few = write_show(tmp_path / "few.yaml", web, select={"minimum": 3})
    done = local("discover", few, tmp_path / "state", web)
    assert done.code == 1
    missing = [{"feed": {"url": web.url("status/404")}}]
    gone = write_show(tmp_path / "gone.yaml", web, sources=missing)
    done = local("discover", gone, tmp_path / "state", web, "-o", "json")
    (source,) = json.loads(done.out)["sources"]
    assert (done.code, source["reason"]) == (1, "SourceGone")


def test_one_episode_is_rendered(show: Path, web: SourceServer, tmp_path: Path) -> None:
    """With files, and a manifest that renders it again; its clips are not taken twice."""
    state, out = tmp_path / "state", tmp_path / "out"
    done = local("show run", show, state, web, "-o", out, "--json")
    assert done.code == 0, done
    assert [clip["state"] for clip in json.loads(done.out)["clips"]] == ["Ready", "Ready"]
    (manifest,) = out.glob("weekly-*.yaml")
    spec = yaml.safe_load(manifest.read_text())["spec"]
    assert spec["title"].startswith("Week ")
    assert [clip["title"] for clip in spec["clips"]] == ["one & more", "two & more"]
    again = local("render", manifest, state, web, "-o", tmp_path / "again")
    assert again.code == 0, again
    used = local("discover", show, state, web, "-o", "json")
    assert [clip["reason"] for clip in json.loads(used.out)["candidates"]] == ["Used", "Used"]
    assert used.code == 1


def test_a_draft_comes_with_the_manifest_of_the_final(web: SourceServer, tmp_path: Path) -> None:
    """With approval Required, the run renders the draft."""
    show = write_show(tmp_path / "weekly.yaml", web, approval="Required")
    state, out = tmp_path / "state", tmp_path / "out"
    done = local("show run", show, state, web, "-o", out)
    assert done.code == 0, done
    (manifest,) = out.glob("weekly-*.yaml")
    assert "quality" not in yaml.safe_load(manifest.read_text())["spec"]


@pytest.mark.parametrize(
    ("fields", "content"),
    [
        ({"schedule": "0 0 30 2 *"}, "spec.schedule"),
        ({"timeZone": "Mars/Olympus"}, "spec.timeZone"),
        ({"template": {"title": "${gmae}"}}, "gmae"),
        ({"template": {"clips": []}}, "clips"),
        ({"sources": [{"twitch": {"games": ["Chess"], "credentials": "none-such"}}]}, "none-such"),
    ],
)
def test_bad_shows_are_refused(
    fields: dict[str, Any], content: str, web: SourceServer, tmp_path: Path
) -> None:
    """In one line with field, value and rule, before anything is queried."""
    show = write_show(tmp_path / "bad.yaml", web, **fields)
    done = local("discover", show, tmp_path / "state", web)
    assert done.code in (1, 2)
    (line,) = done.err.splitlines()
    assert content in line


@pytest.fixture
def server(web: SourceServer, tmp_path: Path) -> Iterator[dict[str, str]]:
    """`clipmill serve`, and the variables of its first user."""
    lines = clipmill("keygen").out.splitlines()
    keys = dict(line.removeprefix("export ").split("=", 1) for line in lines)
    words = ("serve", "--port", "0", "--state", tmp_path / "served", "--allow-private", web.address)
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **keys}
    with started(*words, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        yield {**keys, "CLIPMILL_API_URL": url}
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def remote(server: dict[str, str], *words: str | Path) -> Any:
    """Run a command at the server, and return the JSON that it prints."""
    done = clipmill(*words, "-o", "json", env=dict(server))
    assert done.code == 0, done
    return json.loads(done.out)


def episode_in(server: dict[str, str], *states: str) -> dict[str, Any]:
    """Wait until the newest episode is in one of these states."""

    def newest() -> dict[str, Any]:
        episode: dict[str, Any] = remote(server, "shows", "episodes", "weekly")[0]
        return episode

    waiting = Retrying(
        retry=retry_if_result(lambda episode: episode["state"] not in states),
        stop=stop_after_delay(120),
        wait=wait_fixed(0.5),
    )
    return waiting(newest)


def test_serve_runs_shows(web: SourceServer, server: dict[str, str], tmp_path: Path) -> None:
    """Submitted, discovered, rendered as a draft, approved, rendered in full; then suspended."""
    manifest = write_show(tmp_path / "weekly.yaml", web, approval="Required")
    assert remote(server, "submit", manifest)["ready"]
    assert remote(server, "shows", "run", "weekly")["state"] == "Discovering"
    draft = episode_in(server, "AwaitingApproval", "Failed", "Skipped")
    assert (draft["state"], draft["taken"]) == ("AwaitingApproval", 2)
    remote(server, "approve", draft["name"])
    assert episode_in(server, "Succeeded", "Failed", "Skipped")["state"] == "Succeeded"
    assert remote(server, "shows", "suspend", "weekly")["spec"]["suspend"] is True
    assert remote(server, "shows", "get", "weekly")["nextAt"] is None
    assert remote(server, "shows", "resume", "weekly")["nextAt"] is not None
    assert clipmill("shows", "delete", "weekly", env=dict(server)).code == 0
    assert remote(server, "shows", "list") == []
