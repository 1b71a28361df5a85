"""The JavaScript interpreter: yt-dlp finds and uses it, and scripts reach nothing outside."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import quickjs
from yt_dlp import YoutubeDL
from yt_dlp.extractor.youtube.jsc.provider import (
    JsChallengeRequest,
    JsChallengeType,
    NChallengeInput,
    SigChallengeInput,
)

from clipmill_job.fetching.downloader import ytdlp_options
from clipmill_job.fetching.javascript import run_script, write_interpreter

# A player as YouTube builds it, as far as the solver reads it: it reverses n.
PLAYER = """
var _yt_player = {};
(function(g) {
  0;
  function Url() { this.values = {}; }
  Url.prototype.set = function(key, value) { this.values[key] = value; };
  Url.prototype.get = function(key) { return this.values[key]; };
  Url.prototype.turn = function() {
    this.values.n = [...(this.values.n || "")].reverse().join("");
  };
  function make(url, key, signature) {
    var result = new Url();
    result.set("alr", "yes");
    if (signature) result.set(key, signature.slice(2) + signature.slice(0, 2));
    return result;
  }
})(_yt_player);
"""


@pytest.fixture
def youtube(tmp_path: Path) -> Iterator[Any]:
    """yt-dlp's extractor with the options of a job."""
    javascript = write_interpreter(tmp_path)
    request = {"limit_bytes": 1, "ffmpeg": "ffmpeg", "javascript": javascript}
    request |= {"proxy": "", "cookies": ""}
    options = {**ytdlp_options(request, tmp_path), "no_warnings": False}
    with YoutubeDL(options) as downloader:
        extractor = downloader.get_info_extractor("Youtube")
        extractor.initialize()
        yield extractor


def test_yt_dlp_uses_only_our_engine(youtube: Any, tmp_path: Path) -> None:
    """No Node or Deno of the machine is used, and the version is one that yt-dlp supports."""
    runtimes = youtube._downloader._js_runtimes
    assert list(runtimes) == ["quickjs"]
    info = runtimes["quickjs"].info
    assert (info.name, info.supported, info.path) == ("quickjs-ng", True, f"{tmp_path}/qjs")
    assert info.version_tuple >= (0, 12)
    assert [provider.PROVIDER_NAME for provider in _available(youtube)] == ["quickjs"]


def _available(youtube: Any) -> list[Any]:
    return [p for p in youtube._jsc_director.providers.values() if p.is_available()]


def test_yt_dlp_solves_challenges(youtube: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its own scripts, from the installed package."""
    (provider,) = _available(youtube)
    monkeypatch.setattr(provider, "_get_player", lambda *_: PLAYER)
    url = "https://example.org/player.js"
    requests = [
        JsChallengeRequest(JsChallengeType.N, NChallengeInput(url, ["abc", "xyz"])),
        JsChallengeRequest(JsChallengeType.SIG, SigChallengeInput(url, ["s1gn"])),
    ]
    solved = [reply.response.output.results for reply in provider.bulk_solve(requests)]
    assert solved == [{"abc": "cba", "xyz": "zyx"}, {"s1gn": "gns1"}]


HOST_NAMES = [
    *("std", "os", "require", "process", "fetch", "XMLHttpRequest", "WebSocket", "Deno"),
    *("bjson", "setTimeout", "load", "print", "importScripts"),
]


@pytest.mark.parametrize("name", HOST_NAMES)
def test_there_are_no_host_functions(name: str) -> None:
    """A script finds no function for files, sockets or programs."""
    script = f"console.log(typeof {name}, typeof globalThis.{name})"
    assert run_script(script) == "undefined undefined"


@pytest.mark.parametrize("module", ["std", "os", "./qjs", "/etc/hostname", "https://example.org/x"])
def test_no_module_can_be_imported(module: str) -> None:
    """Every import is refused."""
    script = f"import('{module}').then(() => console.log('imported'), e => console.log('refused'))"
    assert run_script(script) == "refused"


def test_time_and_memory_are_limited() -> None:
    """An endless script and one that allocates without end are stopped."""
    with pytest.raises(quickjs.JSException, match="interrupted"):
        run_script("for (;;) {}", cpu_s=1)
    with pytest.raises(quickjs.JSException, match="memory"):
        run_script("const a = []; for (;;) a.push(new ArrayBuffer(1e6))", memory_bytes=20_000_000)


def test_a_failed_script_ends_with_an_exit_code(tmp_path: Path) -> None:
    """Its error is on stderr, as yt-dlp expects of a program."""
    (tmp_path / "a.js").write_text("console.log(1, 'ü'); throw new Error('no')")
    argv = (write_interpreter(tmp_path), "--script", str(tmp_path / "a.js"))
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.strip()[:9]) == (1, "", "Error: no")
    (tmp_path / "a.js").write_text("console.log(1, 'ü')")
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1 ü\n", "")
