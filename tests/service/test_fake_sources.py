"""Clients that no one here wrote, against the stand-ins for Twitch and Discord."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import discord
import pytest
from discord.http import HTTPClient, Route
from twitchAPI.helper import first, limit
from twitchAPI.twitch import Twitch
from twitchAPI.type import TwitchAuthorizationException

from clipmill_job.discovering.discord_reader import snowflake
from fake_sources.fake_discord import FakeDiscord, message, reaction
from fake_sources.fake_helix import FakeHelix, clip
from fake_sources.serving import serve_fakes

# twitchAPI leaves connections open for the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
# The API rounds times to ten minutes.
NOW = datetime.fromtimestamp(datetime.now(UTC).timestamp() // 600 * 600, UTC)
CHANNEL = 112233445566778899
TWURPLE = Path(__file__).parents[1] / "twurple"


@pytest.fixture
def helix() -> FakeHelix:
    """1,300 clips within two days."""
    step = timedelta(seconds=120)
    return FakeHelix([clip(i, created_at=NOW - step * (i + 1)) for i in range(1300)])


@pytest.fixture
def twitch(helix: FakeHelix) -> Iterator[str]:
    """The URL of the stand-in for Twitch."""
    with serve_fakes(helix.respond) as url:
        yield url


async def _twitch(url: str, secret: str = "secret-of-tests") -> Twitch:
    return await Twitch(
        "clientoftests", secret, base_url=f"{url}/helix/", auth_base_url=f"{url}/oauth2/"
    )


def test_twitchapi_reads_all_pages(twitch: str, helix: FakeHelix) -> None:
    """twitchAPI resolves names, reads pages up to the limit, and parses each field."""

    async def run() -> tuple[Any, Any, list[Any]]:
        client = await _twitch(twitch)
        user = await first(client.get_users(logins=["rooklift", "nobody"]))
        game = await first(client.get_games(names=["Chess"]))
        clips = [
            c
            async for c in client.get_clips(
                game_id=game.id, first=100, started_at=NOW - timedelta(days=7), ended_at=NOW
            )
        ]
        await client.close()
        return user, game, clips

    user, game, clips = asyncio.run(run())
    assert (user.id, user.login, game.name) == ("1001", "rooklift", "Chess")
    assert len(clips) == helix.cap
    assert [c.view_count for c in clips] == sorted((c.view_count for c in clips), reverse=True)
    assert clips[0].url == helix.clips[0]["url"]
    assert clips[0].created_at == NOW - timedelta(seconds=120)
    assert (clips[0].duration, clips[0].vod_offset) == (20.5, None)


def test_twitchapi_gets_another_token(twitch: str, helix: FakeHelix) -> None:
    """twitchAPI answers a 401 by a new token, and is refused a wrong secret or a wrong query."""

    async def run() -> list[Any]:
        client = await _twitch(twitch)
        helix.expire_tokens()
        clips = [c async for c in limit(client.get_clips(broadcaster_id="1001"), 5)]
        helix.bucket.limit = 0
        helix.bucket.reset_at = 0
        helix.bucket.window_s = 1
        await client.close()
        with pytest.raises(TwitchAuthorizationException):
            await _twitch(twitch, "wrong")
        return clips

    assert len(asyncio.run(run())) == 5


def test_twitchapi_waits_for_the_limit(twitch: str, helix: FakeHelix) -> None:
    """twitchAPI reads Ratelimit-Reset of a 429, waits and repeats the request."""
    helix.bucket.limit, helix.bucket.window_s = 2, 2

    async def run() -> int:
        client = await _twitch(twitch)
        clips = [c async for c in limit(client.get_clips(broadcaster_id="1001", first=100), 500)]
        await client.close()
        return len(clips)

    assert asyncio.run(run()) == 500
    paths = [asked.path for asked in helix.requests]
    assert paths.count("/helix/clips") > 5


def test_twitchapi_reads_single_clips(twitch: str, helix: FakeHelix) -> None:
    """By ids; and an unknown user is an error of the API's form."""
    ids = [c["id"] for c in helix.clips[:30]]

    async def run() -> list[Any]:
        client = await _twitch(twitch)
        clips = [c async for c in client.get_clips(clip_id=ids)]
        await client.close()
        return clips

    assert [c.id for c in asyncio.run(run())] == ids


NODE_SCRIPT = TWURPLE / "clips.mjs"


@pytest.mark.skipif(
    not (TWURPLE / "node_modules").is_dir() or shutil.which("node") is None,
    reason="needs node, and npm ci --prefix tests/twurple",
)
def test_twurple_reads_all_pages(twitch: str, helix: FakeHelix) -> None:
    """@twurple/api resolves names, reads pages up to the limit, and parses each field."""
    environ = {"PATH": os.environ["PATH"], "BASE_URL": twitch}
    argv = ["node", str(NODE_SCRIPT), (NOW - timedelta(days=7)).isoformat(), NOW.isoformat()]
    run = subprocess.run(argv, env=environ, check=False, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    read = json.loads(run.stdout)
    assert read["broadcaster"] == "1001"
    assert read["game"] == "743"
    assert read["unknown"] is None
    assert read["count"] == helix.cap
    assert read["first"] == {
        "url": helix.clips[0]["url"],
        "title": "Clip 0",
        "creator": "viewer_0",
        "views": 10_000,
        "createdAt": (NOW - timedelta(seconds=120)).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "duration": 20.5,
        "vodOffset": None,
        "language": "en",
    }
    assert read["byIds"] == 2


@pytest.fixture
def discord_api() -> FakeDiscord:
    """A channel of 250 messages."""
    api = FakeDiscord()
    api.channels[str(CHANNEL)] = [
        message(f"https://clips.twitch.tv/A{i}", written_at=NOW - timedelta(minutes=i))
        | {"reactions": [reaction("🔥", i)]}
        for i in range(1, 251)
    ]
    return api


def _with_discord(api: FakeDiscord, monkeypatch: pytest.MonkeyPatch, call: Any) -> Any:
    """Run a coroutine with the HTTP client of discord.py, logged in."""

    async def run(url: str) -> Any:
        monkeypatch.setattr(Route, "BASE", f"{url}/api/v10")
        client = HTTPClient(asyncio.get_running_loop())
        try:
            await client.static_login("bot-token-of-tests")
            return await call(client)
        finally:
            await client.close()

    with serve_fakes(api.respond) as url:
        return asyncio.run(run(url))


def test_discord_py_reads_pages(discord_api: FakeDiscord, monkeypatch: pytest.MonkeyPatch) -> None:
    """discord.py's client reads pages by `before`; its ids hold the time as ours do."""

    async def call(client: HTTPClient) -> list[Any]:
        pages: list[Any] = []
        before = discord.utils.time_snowflake(NOW)
        assert before == snowflake(NOW)
        while page := await client.logs_from(CHANNEL, 100, before=before):
            pages += page
            before = int(page[-1]["id"])
        return pages

    messages = _with_discord(discord_api, monkeypatch, call)
    assert len(messages) == 250
    times = [discord.utils.snowflake_time(int(m["id"])) for m in messages]
    assert times == [NOW - timedelta(minutes=i) for i in range(1, 251)]
    assert [discord.utils.parse_time(m["timestamp"]) for m in messages] == times
    assert sum(r["count"] for r in messages[1]["reactions"]) == 2


def test_discord_py_keeps_the_limit(
    discord_api: FakeDiscord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """discord.py reads the headers of the limit, and waits as long as a 429 says."""
    discord_api.bucket.limit, discord_api.bucket.window_s = 2, 1

    async def call(client: HTTPClient) -> int:
        return sum([len(await client.logs_from(CHANNEL, 10)) for _ in range(6)])

    assert _with_discord(discord_api, monkeypatch, call) == 60
    discord_api.bucket.limit = 3


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"closed_channels": {str(CHANNEL)}}, discord.Forbidden),
        ({"channels": {}}, discord.NotFound),
    ],
)
def test_discord_py_is_refused(
    change: dict[str, Any],
    error: type[discord.HTTPException],
    discord_api: FakeDiscord,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By status and code of Discord's errors."""
    for name, value in change.items():
        setattr(discord_api, name, value)

    async def call(client: HTTPClient) -> Any:
        with pytest.raises(error) as raised:
            await client.logs_from(CHANNEL, 10)
        return raised.value.code

    assert _with_discord(discord_api, monkeypatch, call) in (50001, 10003)


def test_discord_py_is_refused_a_wrong_token(
    discord_api: FakeDiscord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At its login."""
    discord_api.tokens = set()
    with pytest.raises(discord.LoginFailure):
        _with_discord(discord_api, monkeypatch, lambda client: asyncio.sleep(0))
