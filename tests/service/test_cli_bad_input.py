"""Bad input on the command line: one line, the right exit code, and nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import clipmaker
from clipmill_cli.local.embedded_operator import EmbeddedOperator
from clipmill_cli.local.job_processes import JobLauncher
from clipmill_client.client import Client
from commandline import Completed, clipmill, manifest_file
from harness import SMALL, Harness, library_clip, running
from sources_server import SourceServer, serve_sources

GOOD = {"url": "good.mp4"}
PAGE = "https://clips.twitch.tv/Opener"
Render = Callable[[str, dict[str, Any]], Completed]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One good clip and three unusable files."""
    path = tmp_path_factory.mktemp("work")
    clipmaker.clip(path / "good.mp4", seconds=1)
    (path / "text.mp4").write_text("plain text in a file named .mp4\n" * 9)
    (path / "empty.mp4").write_bytes(b"")
    playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile:///etc/hostname\n"
    (path / "list.mp4").write_text(playlist + "#EXT-X-ENDLIST\n")
    return path


@pytest.fixture(scope="module")
def web(folder: Path) -> Iterator[SourceServer]:
    """The same files on a web server, and an endless stream."""
    with serve_sources(folder) as server:
        yield server


class Case(NamedTuple):
    """A bad spec, and what the error line names: field, value or limit, and code."""

    spec: dict[str, Any]
    field: str
    facts: tuple[str, ...] = ()


LONG = "t" * 2_000_000
CASES = {
    "unknown field": Case(
        {"clips": [{**GOOD, "ends": "2s"}]}, "spec.clips[0].ends", ("did you mean end?",)
    ),
    "end before start": Case(
        {"clips": [{**GOOD, "start": "5s", "end": "2s"}]},
        "spec.clips[0].end",
        ("'2s'", "start", "5s"),
    ),
    "both url and mediaId": Case(
        {"clips": [{"url": PAGE, "mediaId": "m-abcd"}]}, "spec.clips[0]", ("url", "mediaId")
    ),
    "no clip": Case({"clips": []}, "spec.clips", ("1", "0")),
    "501 clips": Case({"clips": [{"url": PAGE}] * 501}, "spec.clips", ("500", "501")),
    "manifest of 2 MB": Case({"clips": [GOOD], "title": LONG}, "MANIFEST", ("1 MiB",)),
    "title of 0.5 MB": Case(
        {"clips": [GOOD], "title": LONG[:500_000]}, "spec.title", ("500000", "200")
    ),
    "script as URL": Case(
        {"clips": [{"url": "javascript:alert(1)"}]},
        "spec.clips[0].url",
        ("'javascript:alert(1)'", "[ForbiddenURL]"),
    ),
    "private address": Case(
        {"clips": [{"url": "http://192.168.1.7/clip.mp4"}]},
        "spec.clips[0].url",
        ("'192.168.1.7'", "[ForbiddenURL]"),
    ),
    "metadata address as one number": Case(
        {"clips": [{"url": "http://2852039166/latest"}]},
        "spec.clips[0].url",
        ("'2852039166'", "[ForbiddenURL]"),
    ),
    "unknown preset": Case(
        {"clips": [GOOD], "outputs": [{"name": "main", "preset": "youtub"}]},
        "spec.outputs[0].preset",
        ("'youtub'", "mean youtube?"),
    ),
    "output name used twice": Case(
        {"clips": [GOOD], "outputs": [SMALL, SMALL]}, "spec.outputs", ("'main'",)
    ),
    "unknown media": Case(
        {"clips": [{"mediaId": "m-0123456789abcdef"}]},
        "spec.clips[0].mediaId",
        ("m-0123456789abcdef", "[UnknownMedia]"),
    ),
    "text file as intro": Case(
        {"clips": [GOOD], "intro": {"url": "text.mp4"}}, "spec.intro.url", ("text.mp4", "NotMedia")
    ),
    "empty file as intro": Case(
        {"clips": [GOOD], "intro": {"url": "empty.mp4"}}, "spec.intro.url", ("empty.mp4",)
    ),
    "missing file": Case({"clips": [{"url": "gone.mp4"}]}, "spec.clips[0].url", ("gone.mp4",)),
}


@pytest.fixture(scope="module")
def render(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Render]:
    """`clipmill render` on one state folder.

    A good manifest is rendered before and after all bad ones: its segments are still there.
    """
    state, out = tmp_path_factory.mktemp("state"), folder / "out"

    def run(name: str, spec: dict[str, Any]) -> Completed:
        manifest = manifest_file(folder / f"{name}.yaml", **spec)
        return clipmill("render", manifest, "-o", out, "--state", state)

    assert run("good", {"clips": [GOOD]}).code == 0
    yield run
    assert run("good", {"clips": [GOOD]}).code == 0
    segments = json.loads((out / "report.json").read_text())["segments"]
    assert segments == {"total": 1, "reused": 1, "rendered": 0}


@pytest.mark.parametrize("name", CASES)
def test_a_bad_manifest_is_refused_before_rendering(
    name: str, render: Render, folder: Path
) -> None:
    """One line names field, value and rule; the exit code is 2."""
    case = CASES[name]
    done = render("bad", case.spec)
    assert (done.code, len(done.lines), done.out) == (2, 1, ""), done
    field = case.field.replace("MANIFEST", str(folder / "bad.yaml"))
    assert done.lines[0].startswith(f"clipmill: {field}: ")
    assert [fact for fact in case.facts if fact not in done.lines[0]] == [], done.lines
    assert len(done.lines[0]) < 500


@pytest.mark.parametrize(
    ("file", "code"),
    [("text.mp4", "NotMedia"), ("empty.mp4", "Empty"), ("list.mp4", "ForbiddenFormat")],
)
def test_an_only_clip_that_is_broken_fails_the_render(
    file: str, code: str, render: Render, folder: Path
) -> None:
    """As a fetched one: the report has the reason, the last lines name the file."""
    done = render("bad", {"clips": [{"url": file}]})
    assert done.code == 1, done
    assert file in done.out + done.err
    report = json.loads((folder / "out" / "report.json").read_text())
    assert (report["reason"], report["clips"][0]["reason"]) == ("TooFewClips", code)


@pytest.fixture(scope="module")
def server(web: SourceServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """An API with the operator of `clipmill serve`, and small limits."""
    state = tmp_path_factory.mktemp("state")
    more = {"allow_private": (web.address,), "fetch_limit_s": 20, "max_upload_bytes": 3_000_000}
    with running(state, **more) as api:
        launcher = JobLauncher(api.url, state / "jobs")
        with EmbeddedOperator(api.operator, launcher, workers=2):
            yield api


def new_user(api: Harness, **limits: Any) -> tuple[dict[str, str | None], Client]:
    """Create a user; return the environment of its commands, and its client."""
    name, client = api.user(**limits)
    return {"CLIPMILL_API_URL": api.url, "CLIPMILL_API_KEY": api.admin.create_key(name)}, client


def test_a_quota_that_is_too_small(server: Harness, folder: Path) -> None:
    """The line names estimate and limit, and no compilation is created."""
    env, client = new_user(server, render_limit_seconds=1)
    clips = [{"name": f"c{i}", "url": "good.mp4"} for i in range(3)]
    manifest = manifest_file(folder / "quota.yaml", clips)
    done = clipmill("submit", manifest, env=env)
    assert (done.code, len(done.lines), done.out) == (1, 1, ""), done
    assert done.lines[0].endswith("[QuotaExceeded]")
    assert "3" in done.lines[0]
    assert "1" in done.lines[0]
    assert client.compilations().items == []


def test_media_of_another_owner(server: Harness, folder: Path) -> None:
    """The response is the same as for unknown media."""
    _, other = new_user(server)
    media = library_clip(other, folder / "good.mp4")
    env, _ = new_user(server)
    manifest = manifest_file(folder / "foreign.yaml", [{"mediaId": media.id}])
    done = clipmill("submit", manifest, env=env)
    assert (done.code, len(done.lines)) == (2, 1)
    assert done.lines[0].startswith("clipmill: spec.clips[0].mediaId: ")
    assert done.lines[0].endswith("[UnknownMedia]")


BAD_SOURCES = {
    "endless": "TooLarge",
    "text": "NotMedia",
    "empty": "Empty",
    "list": "ForbiddenFormat",
    "gone": "SourceGone",
}


def test_bad_sources_are_skipped_and_the_rest_is_rendered(
    server: Harness, folder: Path, web: SourceServer
) -> None:
    """The exit code is 3; each skipped clip is shown with its reason on one line."""
    env, client = new_user(server)
    bad = [{"name": name, "url": web.url(f"{name}.mp4")} for name in BAD_SOURCES]
    manifest = manifest_file(folder / "mixed.yaml", [GOOD, *bad])
    done = clipmill("submit", manifest, "--wait", env=env)
    assert done.code == 3, done
    for name, reason in BAD_SOURCES.items():
        assert done.out.count(f"  skipped {name}: {reason}: ") == 1, done.out
    view = client.compilations().items[0]
    assert {clip.name: clip.reason for clip in view.clips if clip.reason} == BAD_SOURCES
    assert (view.state, view.outputs[0].frames) == ("Succeeded", 30)
