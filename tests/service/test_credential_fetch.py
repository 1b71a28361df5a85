"""Fetch tasks with cookies and proxies of their owner, by yt-dlp against real servers."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import clipmaker
from clipmill.protocol import ClipState, ExitCode, Stage
from clipmill.protocol.integrations.credential_models import CREDENTIAL
from clipmill_api.credentials.keyring import new_keyring_text
from clipmill_cli.local.job_processes import job_environ
from clipmill_client import Client
from clipmill_operator.building.job_objects import job_object, secret_object
from clipmill_operator.building.labels import RevisionRef
from harness import Harness, running
from operator_objects import SETTINGS
from proxy_server import PASSWORD, ProxyServer, serve_proxy
from sources_server import SourceServer, serve_sources

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
COOKIE = "canary-cookie-2718281828"
HOST = "127.0.0.1"


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SourceServer]:
    """A web server of one clip by many names."""
    folder = tmp_path_factory.mktemp("served")
    clipmaker.clip(folder / "a.mp4")
    for i in range(9):
        (folder / f"{i}.mp4").hardlink_to(folder / "a.mp4")
    with serve_sources(folder) as server:
        yield server


@pytest.fixture(scope="module")
def proxy() -> Iterator[ProxyServer]:
    """An HTTP proxy."""
    with serve_proxy("http") as server:
        yield server


@pytest.fixture(scope="module")
def socks() -> Iterator[ProxyServer]:
    """A SOCKS5 proxy."""
    with serve_proxy("socks5") as server:
        yield server


@pytest.fixture(scope="module")
def local(
    web: SourceServer,
    proxy: ProxyServer,
    socks: ProxyServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Harness]:
    """An API that allows the addresses of sources and proxies."""
    settings: dict[str, Any] = {
        "allow_private": (web.address,),
        "allow_private_proxies": (proxy.address, socks.address, "127.0.0.1:1"),
        "credential_keys": new_keyring_text(),
        "fetch_limit_s": 60,
        "fetch_backoff_s": 1,
    }
    with running(tmp_path_factory.mktemp("state"), **settings) as harness:
        yield harness


def add_cookies(user: Client, value: str = COOKIE, host: str = HOST, name: str = "site") -> None:
    """Store a cookie file of a host."""
    text = f"{host}\tFALSE\t/\tFALSE\t0\tSESSION\t{value}\n"
    user.credentials.put(
        name, CREDENTIAL.validate_python({"kind": "cookies", "host": host, "cookies": text})
    )


def add_proxy(user: Client, url: str, *hosts: str) -> None:
    """Store a proxy for some hosts."""
    fields = {"kind": "proxy", "url": url, "hosts": hosts or (HOST,)}
    user.credentials.put("way-out", CREDENTIAL.validate_python(fields))


def run(api: Harness, owner: str, url: str) -> tuple[int, Any, str]:
    """Fetch a clip by a job process. Return its exit code, the clip and what it wrote."""
    uid, _ = api.register(owner, {"clips": [{"url": url}]})
    key = api.operator.create_key(uid, Stage.FETCH, 1)
    done = subprocess.run(
        (sys.executable, "-m", "clipmill_job"),
        env=job_environ(api.url, key, 0, Path("/tmp")),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, api.operator.view(uid).clips[0], done.stdout + done.stderr


def test_the_cookies_of_the_owner_are_sent(local: Harness, web: SourceServer) -> None:
    """The use is recorded; another owner's fetch of the same host has no cookie."""
    owner, user = local.user()
    add_cookies(user)
    code, clip, _ = run(local, owner, web.url("0.mp4"))
    assert (code, clip.state) == (ExitCode.OK, ClipState.READY)
    assert web.cookies_of("0.mp4") == {f"SESSION={COOKIE}"}
    assert user.credentials.list()[0].last_used_at is not None
    stranger, other = local.user()
    assert run(local, stranger, web.url("1.mp4"))[0] == ExitCode.OK
    assert web.cookies_of("1.mp4") == {""}
    assert other.credentials.list() == []


def test_cookies_of_other_hosts_stay(local: Harness, web: SourceServer) -> None:
    """A task gets nothing for a host that it does not fetch from."""
    owner, user = local.user()
    add_cookies(user, host="youtube.com")
    uid, _ = local.register(owner, {"clips": [{"url": web.url("2.mp4")}]})
    assignment = local.job(uid, Stage.FETCH).claim(0, "pod")
    assert assignment.fetch is not None
    assert assignment.fetch.credentials.cookies is None
    assert user.credentials.list()[0].last_used_at is None


def test_the_closest_host_counts(local: Harness) -> None:
    """Of two cookie files for a host the one of the longer name; the other kind beside it."""
    owner, user = local.user()
    add_cookies(user, "of-the-domain", "youtube.com", "domain")
    add_cookies(user, "of-the-host", "www.youtube.com", "host")
    add_proxy(user, "http://u:p@proxy.example.org:3128", "youtube.com")
    uid, _ = local.register(
        owner, {"clips": [{"url": "https://www.youtube.com/watch?v=abcdefghijk"}]}
    )
    assignment = local.job(uid, Stage.FETCH).claim(0, "pod")
    assert assignment.fetch is not None
    credentials = assignment.fetch.credentials
    assert credentials.cookies is not None
    assert "of-the-host" in credentials.cookies.get_secret_value()
    assert credentials.proxy is not None


@pytest.mark.parametrize("kind", ["proxy", "socks"])
def test_a_clip_is_fetched_by_the_proxy(
    kind: str, local: Harness, web: SourceServer, request: pytest.FixtureRequest
) -> None:
    """With user and password; each request goes through it."""
    server: ProxyServer = request.getfixturevalue(kind)
    owner, user = local.user()
    add_proxy(user, server.url)
    path = f"{3 if kind == 'proxy' else 4}.mp4"
    code, clip, text = run(local, owner, web.url(path))
    assert (code, clip.state) == (ExitCode.OK, ClipState.READY), (clip, text)
    target = web.url(path) if kind == "proxy" else web.address
    assert server.targets.count(target) >= web.requests_of(path) > 0


def test_without_the_proxy_nothing_is_fetched(local: Harness, web: SourceServer) -> None:
    """A proxy that is down, or refuses the password: no direct request, and no secret shown."""
    owner, user = local.user()
    for url in (f"http://u:{PASSWORD}@127.0.0.1:1", f"socks5://u:{PASSWORD}@127.0.0.1:1"):
        add_proxy(user, url)
        _, clip, text = run(local, owner, web.url("5.mp4"))
        assert clip.state is ClipState.SKIPPED
        assert PASSWORD not in f"{clip} {text}"
    assert web.requests_of("5.mp4") == 0


def test_a_wrong_password_is_reported_without_it(
    local: Harness, web: SourceServer, proxy: ProxyServer
) -> None:
    """The proxy answers 407."""
    owner, user = local.user()
    add_proxy(user, proxy.url.replace(PASSWORD, "canary-wrong-password"))
    _, clip, text = run(local, owner, web.url("6.mp4"))
    assert clip.state is ClipState.SKIPPED
    assert "canary-wrong-password" not in f"{clip} {text}"
    assert web.requests_of("6.mp4") == 0


def test_a_credential_that_cannot_be_decrypted_skips_the_clip(
    tmp_path: Path, web: SourceServer
) -> None:
    """It is not fetched without its proxy; the clip names the credential and the setting."""
    settings: dict[str, Any] = {"allow_private": (web.address,)}
    with running(tmp_path / "state", credential_keys=new_keyring_text(), **settings) as api:
        owner, user = api.user()
        add_cookies(user)
    other_key = new_keyring_text().replace("k1:", "k2:")
    with running(tmp_path / "state", credential_keys=other_key, **settings) as api:
        _, clip, _ = run(api, owner, web.url("7.mp4"))
    assert (clip.state, clip.reason) == (ClipState.SKIPPED, "CredentialUnreadable")
    assert "'site'" in clip.message
    assert "CLIPMILL_CREDENTIAL_KEYS" in clip.message
    assert web.requests_of("7.mp4") == 0


# --- where a secret must not be -------------------------------------------------------------------


@contextmanager
def watched_processes() -> Iterator[set[str]]:
    """Collect arguments and environment of every process but this one."""
    texts: set[str] = set()
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.02):
            for process in Path("/proc").glob("[0-9]*"):
                if process.name == str(os.getpid()):
                    continue
                for name in ("cmdline", "environ"):
                    try:
                        texts.add((process / name).read_bytes().decode(errors="replace"))
                    except OSError:
                        continue

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield texts
    finally:
        ended.set()
        thread.join()


def files_below(folder: Path) -> Iterator[bytes]:
    """Yield the bytes of all files."""
    return (path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_no_secret_is_anywhere(
    local: Harness,
    web: SourceServer,
    proxy: ProxyServer,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Database and state folder, logs, views, Job and Secret, processes, scratch and errors."""
    caplog.set_level(logging.DEBUG)
    owner, user = local.user()
    add_cookies(user)
    add_proxy(user, proxy.url)
    spec = {"clips": [{"url": web.url("8.mp4")}, {"url": web.url("status/404")}]}
    uid, plan = local.register(owner, spec)
    outputs: list[str] = []
    with watched_processes() as processes:
        for index in range(2):
            key = local.operator.create_key(uid, Stage.FETCH, 1)
            done = subprocess.run(
                (sys.executable, "-m", "clipmill_job"),
                env=job_environ(local.url, key, index, tmp_path),
                capture_output=True,
                text=True,
                check=False,
            )
            outputs.append(done.stdout + done.stderr)
        time.sleep(0.1)
    assert web.cookies_of("8.mp4") == {f"SESSION={COOKIE}"}
    assert any("clipmill_job.fetching.downloader" in text for text in processes)
    compilation = user.compilation(plan.compilation_id)
    texts = [
        *outputs,
        *processes,
        caplog.text,
        repr(local.settings),
        plan.model_dump_json(),
        compilation.model_dump_json(),
        repr(user.credentials.list()),
        *(repr(obj) for obj in _objects(uid, owner, local)),
        *(str(local.rows(f"SELECT * FROM {table}")) for table in TABLES),
    ]
    for secret in (COOKIE, PASSWORD, proxy.url):
        assert not [text for text in texts if secret in text]
        for folder in (local.settings.state, tmp_path):
            assert not any(secret.encode() in content for content in files_below(folder))


def _objects(uid: str, owner: str, api: Harness) -> list[Any]:
    """Return the Job and the Secret that the operator creates for this revision."""
    revision = RevisionRef("default", "test", uid, 1, owner)
    key = api.operator.create_key(uid, Stage.FETCH, 1)
    return [
        job_object(revision, Stage.FETCH, 2, SETTINGS),
        secret_object(revision, Stage.FETCH, "job-uid", url=api.url, key=key),
    ]


TABLES = ("credentials", "revisions", "clips", "tasks", "log_lines", "keys", "uploads", "media")
