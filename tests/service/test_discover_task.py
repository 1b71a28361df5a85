"""Discover tasks in their processes: stand-ins for the services, real feedparser and yt-dlp."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from glob import glob
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from clipmill.protocol import Directive, ExitCode
from clipmill.shows.candidates import DiscordCredentials, DiscoverAssignment, TwitchCredentials
from clipmill_job import isolation_check
from clipmill_job.__main__ import main
from discover_api import DiscoverApi
from discovery import START, assignment, discover, query
from fake_sources.fake_discord import FakeDiscord, message
from fake_sources.fake_helix import FakeHelix, clip
from fake_sources.replies import Asked, Reply
from fake_sources.serving import serve_fakes

CHANNEL = "112233445566778899"
TWITCH = {"twitch": {"games": ["Chess"], "credentials": "my-twitch"}}
DISCORD = {"discord": {"channel": CHANNEL, "credentials": "my-bot"}}
ITEMS = "".join(
    f"<item><title>Entry {i}</title><link>https://example.org/watch/{i}</link></item>"
    for i in range(5)
)
FEED = f'<?xml version="1.0"?><rss version="2.0"><channel><title>A</title>{ITEMS}</channel></rss>'
VIDEOS = "".join(f'<video src="/files/{i}.mp4"></video>' for i in range(5))
PAGE = f"<html><head><title>Videos</title></head><body>{VIDEOS}</body></html>"


class Pages:
    """A web server of documents, with redirects and a page that never ends."""

    def __init__(self) -> None:
        self.documents = {
            "/feed.xml": (FEED.encode(), "application/rss+xml"),
            "/page.html": (PAGE.encode(), "text/html"),
            "/empty.xml": (b"<rss><channel></channel></rss>", "application/rss+xml"),
        }
        self.delay_s = 30.0

    def respond(self, asked: Asked) -> Reply | None:
        """Return a response, or None if there is no such document."""
        if asked.path == "/to":
            return Reply(status=302, body=b"", headers={"Location": asked.value("url")})
        if asked.path == "/slow.xml":
            time.sleep(self.delay_s)
        if asked.path not in self.documents:
            return None
        body, kind = self.documents[asked.path]
        return Reply(status=200, body=body, headers={"Content-Type": kind})


@pytest.fixture
def helix() -> FakeHelix:
    """150 clips of the window."""
    return FakeHelix([clip(i, created_at=START + timedelta(hours=i)) for i in range(150)])


@pytest.fixture
def channel() -> FakeDiscord:
    """A channel of three links."""
    api = FakeDiscord()
    api.channels[CHANNEL] = [
        message(f"https://clips.twitch.tv/Clip{i}", written_at=START + timedelta(hours=i))
        for i in range(3)
    ]
    return api


@pytest.fixture
def base(helix: FakeHelix, channel: FakeDiscord) -> Iterator[str]:
    """The URL of all stand-ins."""
    with serve_fakes(helix.respond, channel.respond, Pages().respond) as url:
        yield url


def feed(url: str) -> dict[str, Any]:
    """Return a source of a feed."""
    return {"feed": {"url": url}}


def run(sources: list[dict[str, Any]], base: str, scratch: Path, **fields: Any) -> Any:
    """Run a task of these sources and return its result."""
    queries = [query(source, index) for index, source in enumerate(sources)]
    return discover(assignment(queries, base, **fields), scratch)


def reasons(result: Any) -> list[str]:
    """Return how each source ended."""
    return [report.reason for report in result.sources]


def test_sources_of_each_kind(base: str, tmp_path: Path) -> None:
    """Each is read in a process of its own; candidates are in the order of the sources."""
    lists = [{"list": {"url": f"{base}/{page}", "most": 3}} for page in ("page.html", "feed.xml")]
    result = run([TWITCH, DISCORD, feed(f"{base}/feed.xml"), *lists], base, tmp_path)
    assert reasons(result) == [""] * 5
    assert [report.returned for report in result.sources] == [150, 3, 5, 3, 3]
    assert [report.requests for report in result.sources] == [4, 1, 1, 1, 1]
    by_source = [[c.url for c in result.candidates if c.source == i] for i in range(5)]
    assert [len(set(urls)) for urls in by_source] == [150, 3, 5, 3, 3]
    assert by_source[3] == [f"{base}/files/{i}.mp4" for i in range(3)]
    assert by_source[4] == [f"https://example.org/watch/{i}" for i in range(3)]
    assert [c.source for c in result.candidates] == sorted(c.source for c in result.candidates)


def test_a_source_that_fails_is_reported(
    base: str, helix: FakeHelix, channel: FakeDiscord, tmp_path: Path
) -> None:
    """The others go on; each report names the field."""
    helix.clients = {"clientoftests": "another"}
    channel.closed_channels = {CHANNEL}
    gone = {"list": {"url": f"{base}/gone.html"}}
    sources = [TWITCH, DISCORD, feed(f"{base}/empty.xml"), feed(f"{base}/feed.xml"), gone]
    result = run(sources, base, tmp_path)
    expected = ["InvalidCredentials", "NoAccess", "EmptyResult", "", "SourceGone"]
    assert reasons(result) == expected
    assert len(result.candidates) == 5
    for report in result.sources:
        assert not report.reason or report.message.startswith(f"spec.sources[{report.source}].")


@pytest.mark.parametrize("kind", ["feed", "list"])
@pytest.mark.parametrize(
    "target",
    [
        "http://10.0.0.1/x",
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1:1/x",
        "http://[::1]:80/x",
        "http://2130706433/x",
    ],
)
def test_no_private_address_is_reached(kind: str, target: str, base: str, tmp_path: Path) -> None:
    """Neither directly nor by a redirect."""
    sources = [{kind: {"url": url}} for url in (target, f"{base}/to?url={target}")]
    result = run(sources, base, tmp_path)
    assert reasons(result) == ["ForbiddenURL"] * 2


def test_twitch_and_discord_follow_no_redirect(tmp_path: Path) -> None:
    """Their requests carry credentials."""
    asked: list[Asked] = []

    def redirect(request: Asked) -> Reply:
        asked.append(request)
        return Reply(status=302, body=b"", headers={"Location": "http://example.org/"})

    with serve_fakes(redirect) as url:
        result = run([TWITCH, DISCORD], url, tmp_path)
    assert reasons(result) == ["InvalidCredentials", "SourceFailed"]
    assert len(asked) == 2


def test_a_slow_source_does_not_hold_the_others(base: str, tmp_path: Path) -> None:
    """Its process is ended at the task's time limit."""
    with serve_fakes(Pages().respond) as slow:
        private = [slow.removeprefix("http://")]
        sources = [feed(f"{slow}/slow.xml"), feed(f"{base}/feed.xml")]
        started = time.monotonic()
        result = run(sources, base, tmp_path, private=private, limit_s=10)
        assert time.monotonic() - started < 20
    assert reasons(result) == ["TooSlow", ""]
    assert len(result.candidates) == 5


def test_more_sources_than_processes(base: str, tmp_path: Path) -> None:
    """20 sources take turns."""
    result = run([feed(f"{base}/feed.xml")] * 20, base, tmp_path)
    assert len(result.candidates) == 100
    assert [report.source for report in result.sources] == list(range(20))


def environ(api_url: str, key: str, scratch: Path) -> dict[str, str]:
    """Return the environment of a discover pod."""
    return {
        "PATH": os.environ["PATH"],
        "CLIPMILL_API_URL": api_url,
        "CLIPMILL_API_KEY": key,
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
    }


KEY, TASK_KEY = "cm_episode_key", "cm_task_key"


def discover_api(base: str, *sources: dict[str, Any], **fields: Any) -> DiscoverApi:
    """Return the API's side of a task."""
    queries = [query(source, index) for index, source in enumerate(sources)]
    return DiscoverApi(assignment(queries, base, key=TASK_KEY, **fields), KEY)


def test_the_process_of_a_pod(base: str, tmp_path: Path) -> None:
    """It claims, sends a heartbeat, reports the result, and ends with 0."""
    api = discover_api(base, TWITCH, feed(f"{base}/feed.xml"))
    with serve_fakes(api.respond) as url:
        assert main(environ(url, KEY, tmp_path), ["discover"]) == ExitCode.OK
    (result,) = api.results
    assert len(result.candidates) == 155
    assert result.failure is None
    assert len(api.claims) == 1
    assert any(heartbeat.log for heartbeat in api.heartbeats)


def test_a_lost_lease_ends_the_process(base: str, tmp_path: Path) -> None:
    """Nothing is reported any more."""
    api = discover_api(base, feed(f"{base}/feed.xml"))
    api.result_status = 409
    with serve_fakes(api.respond) as url:
        assert main(environ(url, KEY, tmp_path), ["discover"]) == ExitCode.LEASE_LOST


def test_a_stop_ends_the_sources(tmp_path: Path) -> None:
    """The API replies Stop to a heartbeat while a source is read."""
    with serve_fakes(Pages().respond) as slow:
        api = discover_api(slow, feed(f"{slow}/slow.xml"))
        api.directive = Directive.STOP
        with serve_fakes(api.respond) as url:
            started = time.monotonic()
            assert main(environ(url, KEY, tmp_path), ["discover"]) == ExitCode.LEASE_LOST
            assert time.monotonic() - started < 15
    assert api.results == []


def test_without_isolation_nothing_is_queried(
    base: str, helix: FakeHelix, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A canary that can be reached ends the process before any source is read."""
    monkeypatch.setattr(isolation_check, "POLICY_DELAY_S", 0.0)
    with socket.create_server(("127.0.0.1", 0)) as canary:
        port = canary.getsockname()[1]
        api = discover_api(base, TWITCH, canaries=[f"127.0.0.1:{port}"])
        with serve_fakes(api.respond) as url:
            assert main(environ(url, KEY, tmp_path), ["discover"]) == ExitCode.NOT_ISOLATED
    assert helix.requests == []
    (result,) = api.results
    assert result.failure is not None
    assert (result.failure.code, result.failure.permanent) == ("NotIsolated", True)


def test_a_wrong_key_and_a_wrong_argument(base: str, tmp_path: Path) -> None:
    """Both end the process for good."""
    api = discover_api(base, TWITCH)
    with serve_fakes(api.respond) as url:
        assert main(environ(url, "cm_other", tmp_path), ["discover"]) == ExitCode.LEASE_LOST
        assert main(environ(url, KEY, tmp_path), ["publish"]) == ExitCode.GIVE_UP
    assert api.claims == []


SECRETS = ("canary-client-secret-51f0", "canary-user-token-51f0", "canary-bot-token-51f0")


def _hostile(secrets: tuple[str, ...]) -> Any:
    """Return a responder that repeats every credential in its errors."""

    def respond(asked: Asked) -> Reply | None:
        if asked.path.startswith(("/helix", "/oauth2", "/api/v10")):
            time.sleep(1)
            text = f"no: {asked.headers} {dict(asked.query)} {' '.join(secrets)}"
            return Reply(status=403, body=f'{{"message": {text!r}}}'.replace("'", '"').encode())
        return None

    return respond


def canary_assignment(base: str) -> DiscoverAssignment:
    """Return an assignment with secrets that are searched for."""
    twitch = TwitchCredentials(client_id="id", client_secret=SECRETS[0], user_token=SECRETS[1])
    queries = [
        query(TWITCH).model_copy(update={"twitch": twitch}),
        query(DISCORD, 1).model_copy(update={"discord": DiscordCredentials(bot_token=SECRETS[2])}),
        # A header with this token cannot be sent, and httpx repeats it in its error.
        query(DISCORD, 2).model_copy(
            update={"discord": DiscordCredentials(bot_token=f"{SECRETS[2]}\r\n")}
        ),
    ]
    return assignment(queries, base, key=TASK_KEY)


class ProcWatch:
    """Reads arguments and environments of all processes while another one runs."""

    def __init__(self) -> None:
        self.texts: set[bytes] = set()
        self.is_stopped = False

    def watch(self) -> None:
        """Read until it is stopped."""
        while not self.is_stopped:
            for name in ("cmdline", "environ"):
                for path in glob(f"/proc/[0-9]*/{name}"):
                    try:
                        self.texts.add(Path(path).read_bytes())
                    except OSError:
                        continue
            time.sleep(0.02)


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
def test_no_credential_leaves_the_task(tmp_path: Path) -> None:
    """Neither in log, error, environment, arguments, files nor result, if a source repeats it."""
    watch = ProcWatch()
    thread = Thread(target=watch.watch)
    with serve_fakes(_hostile(SECRETS)) as base:
        api = DiscoverApi(canary_assignment(base), KEY)
        with serve_fakes(api.respond) as url:
            thread.start()
            argv = (sys.executable, "-m", "clipmill_job", "discover")
            env = environ(url, KEY, tmp_path)
            process = subprocess.run(argv, env=env, capture_output=True, timeout=60, check=False)
            watch.is_stopped = True
            thread.join()
    assert process.returncode == ExitCode.OK, process.stderr
    (result,) = api.results
    expected = ["InvalidCredentials", "NoAccess", "SourceFailed"]
    assert [report.reason for report in result.sources] == expected
    outputs = [*api.bodies, process.stdout, process.stderr, *watch.texts]
    outputs += [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    for secret in (*SECRETS, TASK_KEY):
        assert [text for text in outputs if secret.encode() in text] == []
    assert any(b"clipmill_job.discovering.source_process" in text for text in watch.texts)
