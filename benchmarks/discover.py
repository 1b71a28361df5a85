"""Measure what it takes to discover clips: seconds and requests.

Run `python -m benchmarks.discover`. A stand-in for Twitch runs as a process on the loopback. The
discover task reads 1,000 clips, which one query returns, and 2,500, for which the window is
divided. Beside it, in the same run, twitchAPI reads the same 1,000 clips.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from twitchAPI.helper import first, limit
from twitchAPI.twitch import Twitch

from clipmill.protocol import Directive, HeartbeatReply
from clipmill.shows.candidates import (
    DiscoverAssignment,
    DiscoverResult,
    SourceQuery,
    TwitchCredentials,
)
from clipmill.shows.show_sources import ShowSource
from clipmill_job.discovering.discover_task import run_discover_task
from clipmill_job.heartbeat_sender import HeartbeatSender

ROOT = Path(__file__).parents[1]
WINDOW = timedelta(days=1)
FEW, MANY = 1000, 2500


@contextmanager
def stand_in() -> Iterator[tuple[str, dict[str, Any]]]:
    """Serve a clip for each half minute; yield URL and credentials."""
    argv = [sys.executable, "-m", "fake_sources", "--port", "0", "--every", "30"]
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    with subprocess.Popen(argv, env=environ, stdout=subprocess.PIPE, text=True) as process:
        url, _, facts = (process.stdout.readline() if process.stdout else "").partition(" ")
        try:
            yield url, json.loads(facts)
        finally:
            process.kill()


def _end_of_window() -> datetime:
    # Twitch rounds times to ten minutes; a schedule mostly has whole ones.
    return datetime.fromtimestamp(time.time() // 600 * 600, UTC)


def discover(url: str, facts: dict[str, Any], most: int) -> DiscoverResult:
    """Run a discover task with one source."""
    end = _end_of_window()
    source = {"games": facts["games"][:1], "credentials": "benchmark", "most": most}
    credentials = TwitchCredentials(
        client_id=facts["clientId"], client_secret=facts["clientSecret"]
    )
    query = SourceQuery(
        source=0, query=ShowSource.model_validate({"twitch": source}), twitch=credentials
    )
    assignment = DiscoverAssignment(
        episode_id="e-0123456789",
        epoch=1,
        lease_s=60,
        started_after=end - WINDOW,
        ended_before=end,
        queries=[query],
        allowed_private=[url.removeprefix("http://")],
        base_urls={"twitch": f"{url}/helix", "twitch-auth": f"{url}/oauth2"},
    )
    reply = HeartbeatReply(directive=Directive.CONTINUE, lease_s=60)
    with (
        tempfile.TemporaryDirectory() as scratch,
        HeartbeatSender(lambda _: reply, epoch=1, lease_s=60) as heartbeat,
    ):
        result = run_discover_task(assignment, heartbeat, Path(scratch))
    if result.sources[0].reason or result.sources[0].returned != most:
        raise SystemExit(f"the source was not read: {result.sources[0]}")
    return result


async def _with_twitchapi(url: str, facts: dict[str, Any]) -> int:
    client = await Twitch(
        facts["clientId"],
        facts["clientSecret"],
        base_url=f"{url}/helix/",
        auth_base_url=f"{url}/oauth2/",
    )
    game = await first(client.get_games(names=facts["games"][:1]))
    if game is None:
        raise SystemExit("the game is unknown")
    end = _end_of_window()
    clips = client.get_clips(game_id=game.id, first=100, started_at=end - WINDOW, ended_at=end)
    number = len([clip async for clip in limit(clips, FEW)])
    await client.close()
    return number


def main() -> None:
    """Print a row for each measurement: the median of the rounds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    spent: dict[str, list[float]] = {"twitchAPI": [], str(FEW): [], str(MANY): []}
    requests: dict[int, int] = {}
    with stand_in() as (url, facts):
        for _ in range(rounds):
            started = time.monotonic()
            asyncio.run(_with_twitchapi(url, facts))
            spent["twitchAPI"].append(time.monotonic() - started)
            for most in (FEW, MANY):
                started = time.monotonic()
                requests[most] = discover(url, facts, most).sources[0].requests
                spent[str(most)].append(time.monotonic() - started)
    seconds = {name: statistics.median(values) for name, values in spent.items()}
    print(f"twitchAPI, {FEW} clips: {seconds['twitchAPI']:.2f} s")
    for most in (FEW, MANY):
        ratio = seconds[str(most)] / seconds["twitchAPI"]
        line = f"{seconds[str(most)]:.2f} s, {requests[most]} requests, {ratio:.2f} of twitchAPI"
        print(f"discover task, {most} clips: {line}")


if __name__ == "__main__":
    main()
