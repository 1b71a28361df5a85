"""Children of the prober: forked from one process with the decoders, whatever happens to it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

import clipmaker
from clipmill_probe import MediaError, probe_media
from clipmill_probe.children.child_runs import run_child
from webhook_receiver import wait_until

SERVER = "clipmill_probe.children.decoder_process"


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip that takes seconds to decode."""
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    return clipmaker.clip(path, seconds=10, size="1280x720", sound=None)


def servers(pid: int) -> list[psutil.Process]:
    """Return the processes with the decoders of a process."""
    return [child for child in psutil.Process(pid).children() if SERVER in child.cmdline()]


def test_one_process_with_the_decoders(two_seconds: Path) -> None:
    """Files are read by children of one process; no descriptor stays open."""
    expected = probe_media(two_seconds)
    (server,) = servers(os.getpid())
    before = len(os.listdir("/proc/self/fd"))
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lambda _: probe_media(two_seconds), range(8))) == [expected] * 8
    assert servers(os.getpid()) == [server]
    assert (len(os.listdir("/proc/self/fd")), server.num_threads()) == (before, 1)
    assert server.children() == []


def test_relative_paths(two_seconds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They name a file of the current folder, also of one that is entered later."""
    expected = probe_media(two_seconds)
    monkeypatch.chdir(two_seconds.parent)
    assert probe_media(two_seconds.name) == expected


def test_the_environment_of_a_child(two_seconds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It knows no key of the process that probes."""
    monkeypatch.setenv("CLIPMILL_API_KEY", "cm_u_secret")
    probe_media(two_seconds)
    (server,) = servers(os.getpid())
    assert set(server.environ()) == {"PATH", "LANG"}


def test_the_process_is_killed(two_seconds: Path) -> None:
    """The next file is read all the same, and later ones by a new process."""
    expected = probe_media(two_seconds)
    (server,) = servers(os.getpid())
    server.kill()
    assert probe_media(two_seconds) == expected
    assert probe_media(two_seconds) == expected
    assert [server] != servers(os.getpid())


def test_a_child_is_killed_at_its_deadline(long_clip: Path) -> None:
    """The reader is gone, and the process serves on."""
    with pytest.raises(MediaError) as refused:
        probe_media(long_clip, timeout_s=0.1)
    assert refused.value.code == "TooSlow"
    (server,) = servers(os.getpid())
    wait_until(lambda: server.children() == [])


def test_exit_codes_are_those_of_a_new_process(tmp_path: Path) -> None:
    """Facts or an error are printed, and the code is 0; bad arguments end with another one."""
    printed, code = run_child((str(tmp_path / "none"), "full", "5", "video"), timeout_s=30)
    assert (code, list(json.loads(printed))) == (0, ["error"])
    assert run_child(("too", "few"), timeout_s=30) == (b"", 1)


def test_a_killed_prober_leaves_no_process(long_clip: Path) -> None:
    """The process with the decoders, and a child that decodes for seconds, end with it."""
    code = f"from clipmill_probe import probe_media; probe_media({str(long_clip)!r})"
    with subprocess.Popen([sys.executable, "-c", code]) as prober:
        wait_until(lambda: servers(prober.pid) and servers(prober.pid)[0].children())
        (server,) = servers(prober.pid)
        (reader,) = server.children()
        prober.send_signal(signal.SIGKILL)
        prober.wait()
    wait_until(lambda: not server.is_running() and not reader.is_running())


FORKED = """
import os, sys
from clipmill_probe import probe_media

probe_media(sys.argv[1])
pid = os.fork()
frames = probe_media(sys.argv[1]).frames
if pid:
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
assert frames == 60
"""


def test_a_fork_of_the_prober_has_its_own(two_seconds: Path) -> None:
    """It shares no connection with the process that it was forked from."""
    command = [sys.executable, "-W", "error", "-c", FORKED, str(two_seconds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
