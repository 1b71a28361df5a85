"""JavaScript for yt-dlp: the real one finds the engine and solves with it; nothing leads out."""

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

from clipmill_job.fetching.downloader import options
from clipmill_job.fetching.javascript import interpreter, logged

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
    var made = new Url();
    made.set("alr", "yes");
    if (signature) made.set(key, signature.slice(2) + signature.slice(0, 2));
    return made;
  }
})(_yt_player);
"""
"""A player of YouTube's build, as far as the solver looks at one: it turns n round."""


@pytest.fixture
def youtube(tmp_path: Path) -> Iterator[Any]:
    """yt-dlp's extractor with the options of a job, its player ours."""
    told = {"limit_bytes": 1, "ffmpeg": "ffmpeg", "javascript": interpreter(tmp_path)}
    with YoutubeDL({**options(told, tmp_path), "no_warnings": False}) as downloader:
        found = downloader.get_info_extractor("Youtube")
        found.initialize()
        yield found


def test_yt_dlp_has_one_engine_and_it_is_ours(youtube: Any, tmp_path: Path) -> None:
    """No Node or Deno of the machine is asked, and the version is one that it takes."""
    runtimes = youtube._downloader._js_runtimes
    assert list(runtimes) == ["quickjs"]
    info = runtimes["quickjs"].info
    assert (info.name, info.supported, info.path) == ("quickjs-ng", True, f"{tmp_path}/qjs")
    assert info.version_tuple >= (0, 12)
    there = [p.PROVIDER_NAME for p in youtube._jsc_director.providers.values() if p.is_available()]
    assert there == ["quickjs"]


def test_yt_dlp_solves_with_it(youtube: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own scripts, from the package and not from the internet, in our process."""
    (provider,) = [p for p in youtube._jsc_director.providers.values() if p.is_available()]
    monkeypatch.setattr(provider, "_get_player", lambda *_: PLAYER)
    url = "https://example.org/player.js"
    asked = [
        JsChallengeRequest(JsChallengeType.N, NChallengeInput(url, ["abc", "xyz"])),
        JsChallengeRequest(JsChallengeType.SIG, SigChallengeInput(url, ["s1gn"])),
    ]
    solved = [answer.response.output.results for answer in provider.bulk_solve(asked)]
    assert solved == [{"abc": "cba", "xyz": "zyx"}, {"s1gn": "gns1"}]


DOORS = ["std", "os", "require", "process", "fetch", "XMLHttpRequest", "WebSocket", "Deno", "bjson"]


@pytest.mark.parametrize("name", [*DOORS, "setTimeout", "load", "print", "importScripts"])
def test_no_name_leads_out(name: str) -> None:
    """Nothing of a host is there: no file, socket or program can even be asked for."""
    assert logged(f"console.log(typeof {name}, typeof globalThis.{name})") == "undefined undefined"


@pytest.mark.parametrize("module", ["std", "os", "./qjs", "/etc/hostname", "https://example.org/x"])
def test_no_module_can_be_had(module: str) -> None:
    """An import is refused, whatever it names."""
    script = f"import('{module}').then(() => console.log('in'), e => console.log('refused'))"
    assert logged(script) == "refused"


def test_it_ends_by_itself() -> None:
    """A script that goes on for ever, and one that eats memory."""
    with pytest.raises(quickjs.JSException, match="interrupted"):
        logged("for (;;) {}", cpu_s=1)
    with pytest.raises(quickjs.JSException, match="memory"):
        logged("const a = []; for (;;) a.push(new ArrayBuffer(1e6))", memory_bytes=20_000_000)


def test_a_script_at_fault_is_an_error(tmp_path: Path) -> None:
    """As yt-dlp expects of a program: what it says on stderr, and an exit code."""
    (tmp_path / "a.js").write_text("console.log(1, 'ü'); throw new Error('no')")
    words = (interpreter(tmp_path), "--script", str(tmp_path / "a.js"))
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.strip()[:9]) == (1, "", "Error: no")
    (tmp_path / "a.js").write_text("console.log(1, 'ü')")
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1 ü\n", "")
