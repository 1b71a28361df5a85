"""Bad input over the real command line: one clear line, the right exit code, nothing lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import clipmaker
from clipmill_cli.local.embedded_operator import LocalOperator
from clipmill_cli.local.job_processes import Jobs
from commandline import Completed, clipmill, manifest_file
from harness import SMALL, Harness, library_clip, running
from sources_server import Served, serving

GOOD = {"url": "good.mp4"}
PAGE = "https://clips.twitch.tv/Opener"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One good clip and three that are none."""
    found = tmp_path_factory.mktemp("work")
    clipmaker.clip(found / "good.mp4", seconds=1)
    (found / "text.mp4").write_text("not a video at all, however it is called\n" * 9)
    (found / "empty.mp4").write_bytes(b"")
    playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile:///etc/hostname\n"
    (found / "list.mp4").write_text(playlist + "#EXT-X-ENDLIST\n")
    return found


@pytest.fixture(scope="module")
def web(folder: Path) -> Iterator[Served]:
    """The same clips on a web server, and a stream that never ends."""
    with serving(folder) as served:
        yield served


class Case(NamedTuple):
    """What is wrong, and what is said of it."""

    spec: dict[str, Any]
    said: str


LONG = "t" * 2_000_000
CASES = {
    "an unknown field": Case(
        {"clips": [{**GOOD, "ends": "2s"}]},
        "spec.clips[0].ends: unknown field; did you mean end?",
    ),
    "the end before the start": Case(
        {"clips": [{**GOOD, "start": "5s", "end": "2s"}]},
        "spec.clips[0].end: '2s': end 2s must be after start 5s",
    ),
    "both url and mediaId": Case(
        {"clips": [{"url": PAGE, "mediaId": "m-abcd"}]},
        "spec.clips[0]: exactly one of url and mediaId must be set; both url and mediaId are set",
    ),
    "no clip": Case({"clips": []}, "spec.clips: List should have at least 1 item, not 0"),
    "501 clips": Case(
        {"clips": [{"url": PAGE}] * 501},
        "spec.clips: List should have at most 500 items, not 501",
    ),
    "a title of 2 MB": Case(
        {"clips": [GOOD], "title": LONG},
        "MANIFEST: larger than the 1 MiB that a manifest may have",
    ),
    "a title of 0.5 MB": Case(
        {"clips": [GOOD], "title": LONG[:500_000]},
        f"spec.title: '{LONG[:60]}'... (500000 characters):"
        " String should have at most 200 characters",
    ),
    "a script for a URL": Case(
        {"clips": [{"url": "javascript:alert(1)"}]},
        "spec.clips[0].url: 'javascript:alert(1)': only http and https URLs are fetched"
        " [ForbiddenURL]",
    ),
    "a private address": Case(
        {"clips": [{"url": "http://192.168.1.7/clip.mp4"}]},
        "spec.clips[0].url: '192.168.1.7' is an address, not a name: give the host's name"
        " [ForbiddenURL]",
    ),
    "the cloud's own address, in one number": Case(
        {"clips": [{"url": "http://2852039166/latest"}]},
        "spec.clips[0].url: '2852039166' is an address, not a name: give the host's name"
        " [ForbiddenURL]",
    ),
    "an unknown preset": Case(
        {"clips": [GOOD], "outputs": [{"name": "main", "preset": "youtub"}]},
        "spec.outputs[0].preset: 'youtub': Input should be ",
    ),
    "media that nobody has": Case(
        {"clips": [{"mediaId": "m-0123456789abcdef"}]},
        "spec.clips[0].mediaId: your library has no media 'm-0123456789abcdef' [UnknownMedia]",
    ),
    "a text file called .mp4": Case(
        {"clips": [{"url": "text.mp4"}]},
        "spec.clips[0].url: text.mp4: not a video",
    ),
    "an empty file": Case(
        {"clips": [{"url": "empty.mp4"}]},
        "spec.clips[0].url: 'FOLDER/empty.mp4': the file is empty",
    ),
    "a playlist called .mp4": Case(
        {"clips": [{"url": "list.mp4"}]},
        "spec.clips[0].url: list.mp4: HLS playlist",
    ),
    "a file that is not there": Case(
        {"clips": [{"url": "gone.mp4"}]},
        "spec.clips[0].url: 'FOLDER/gone.mp4': no such file",
    ),
}


@pytest.fixture(scope="module")
def render(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str, dict[str, Any]], Completed]]:
    """`clipmill render` on one state, in which a good video is rendered first.

    After all that was wrong, the good one is rendered again: of segments that are all still there.
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


@pytest.mark.parametrize("what", CASES)
def test_it_is_refused_by_one_line_before_anything_is_rendered(
    what: str, render: Callable[[str, dict[str, Any]], Completed], folder: Path
) -> None:
    """Naming field, value and rule; exit code 2."""
    said = render("bad", CASES[what].spec)
    expected = CASES[what].said.replace("FOLDER", str(folder))
    expected = expected.replace("MANIFEST", str(folder / "bad.yaml"))
    assert (said.code, len(said.lines), said.out) == (2, 1, ""), said
    assert said.lines[0].startswith(f"clipmill: {expected}")
    assert len(said.lines[0]) < 500


@pytest.fixture(scope="module")
def server(web: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """An API with its operator beside it, as `clipmill serve` has it, impatient and small."""
    state = tmp_path_factory.mktemp("state")
    more = {"allow_private": (web.place,), "fetch_limit_s": 20, "max_upload_bytes": 3_000_000}
    with (
        running(state, **more) as api,
        LocalOperator(
            api.client(api.settings.operator_key), Jobs(api.url, state / "jobs"), workers=2
        ),
    ):
        yield api


def _as(api: Harness, **limits: Any) -> tuple[dict[str, str | None], Any]:
    """The environment of a new user, and a client of theirs."""
    _, client = api.user(**limits)
    key = client.wire._http.headers["Authorization"].removeprefix("Bearer ")
    return {"CLIPMILL_API_URL": api.url, "CLIPMILL_API_KEY": key}, client


def test_a_quota_that_does_not_suffice(server: Harness, folder: Path) -> None:
    """The numbers are said, and nothing is made."""
    env, client = _as(server, render_limit_seconds=1)
    clips = [{"name": f"c{i}", "url": "good.mp4"} for i in range(3)]
    manifest = manifest_file(folder / "quota.yaml", clips)
    said = clipmill("submit", manifest, env=env)
    assert (said.code, len(said.lines), said.out) == (1, 1, ""), said
    assert said.lines[0].startswith("clipmill: rendering takes 3s, but only 1s of the 1s of ")
    assert said.lines[0].endswith(" are left [QuotaExceeded]")
    assert client.compilations().items == []


def test_media_of_somebody_else(server: Harness, folder: Path) -> None:
    """Looks like media that nobody has."""
    _, other = _as(server)
    theirs = library_clip(other, folder / "good.mp4")
    env, _ = _as(server)
    manifest = manifest_file(folder / "foreign.yaml", [{"mediaId": theirs.id}])
    said = clipmill("submit", manifest, env=env)
    line = f"spec.clips[0].mediaId: your library has no media '{theirs.id}' [UnknownMedia]"
    assert (said.code, said.lines) == (2, [f"clipmill: {line}"])


BAD_SOURCES = {
    "endless": "TooLarge: the source is larger than the 3000000 bytes allowed",
    "text": "NotMedia: ",
    "empty": "Empty: the source is a file of 0 bytes",
    "list": "ForbiddenFormat: ",
    "gone": "SourceGone: the source answered 404 ",
}


def test_bad_sources_are_skipped_and_the_rest_rendered(
    server: Harness, folder: Path, web: Served
) -> None:
    """Exit code 3; each clip is named with its reason, on one line."""
    env, client = _as(server)
    bad = [{"name": name, "url": web.url(f"{name}.mp4")} for name in BAD_SOURCES]
    manifest = manifest_file(folder / "mixed.yaml", [GOOD, *bad])
    said = clipmill("submit", manifest, "--wait", env=env)
    assert said.code == 3, said
    for name, why in BAD_SOURCES.items():
        assert said.out.count(f"  skipped {name}: {why}") == 1, said.out
    view = client.compilations().items[0]
    assert (view.state, view.outputs[0].frames) == ("Succeeded", 30)


def test_the_same_name_of_an_output_twice(
    folder: Path, render: Callable[[str, dict[str, Any]], Completed]
) -> None:
    """A rule over two fields names what is doubled."""
    said = render("bad", {"clips": [GOOD], "outputs": [SMALL, SMALL]})
    assert said.code == 2
    assert said.lines == ["clipmill: spec.outputs: the name 'main' is used more than once"]
