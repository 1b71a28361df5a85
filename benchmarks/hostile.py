"""Measure how one hostile key slows the requests of another.

Run `python -m benchmarks.hostile`. 200 clients of one key send plans, validations, uploads and
lists without a pause, on the loopback. Meanwhile another key lists its compilations; its p99 is
compared with that on an idle API. The number of requests and the time are bounded.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import itertools
import statistics
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx

from benchmarks import clips
from benchmarks.serving import server
from clipmill.protocol import MediaKind, TierView, UserView
from clipmill_client.client import Client

CLIENTS = 200
# Each hostile client stops after so many requests, whatever the time.
MAX_REQUESTS = 2000
SAMPLES = 400
PAUSE_S = 0.02
# Until the burst of a full bucket is over.
WARM_UP_S = 5
CLIPS, OUTPUTS = 500, 8
TARGET = 5


def manifest(media_id: str) -> dict[str, Any]:
    """Return a manifest whose plan is expensive."""
    outputs = [
        {"name": f"o{i}", "preset": "custom", "width": 640 - 2 * i, "height": 360, "rate": 30}
        for i in range(OUTPUTS)
    ]
    return {
        "apiVersion": "clipmill.dev/v1alpha1",
        "kind": "Compilation",
        "metadata": {"name": "hostile"},
        "spec": {"clips": [{"mediaId": media_id}] * CLIPS, "outputs": outputs},
    }


class HostileClient:
    """One client that ignores every refusal."""

    def __init__(self, http: httpx.AsyncClient, media_id: str, number: int) -> None:
        self._http, self._media_id, self._number = http, media_id, number
        self._plan = manifest(media_id)

    async def attack(self, until: float, statuses: Counter[int]) -> None:
        """Send mixed requests until the time is over."""
        for i in itertools.islice(itertools.count(self._number), MAX_REQUESTS):
            if time.monotonic() > until:
                return
            try:
                statuses[(await self._request(i)).status_code] += 1
            except httpx.HTTPError:
                statuses[0] += 1

    async def _request(self, i: int) -> httpx.Response:
        if i % 4 == 0:
            # A title of its own, so that no plan is remembered.
            spec = self._plan["spec"] | {"title": f"hostile {self._number} {i}"}
            return await self._http.post("/api/plan", json=self._plan | {"spec": spec})
        if i % 4 == 1:
            return await self._http.post(f"/api/media/{self._media_id}/validate")
        if i % 4 == 2:
            data = b"x" * 100_000
            params: dict[str, Any] = {
                "purpose": "library",
                "kind": "clip",
                "filename": "x.mp4",
                "sizeBytes": len(data),
                "sha256": hashlib.sha256(data + str(i).encode()).hexdigest(),
            }
            return await self._http.put("/api/uploads", params=params, content=data)
        return await self._http.get("/api/compilations")


async def latencies(http: httpx.AsyncClient, until: float) -> list[float]:
    """Return the latencies of a well-behaved client's lists in ms, until a time at the latest."""
    spent: list[float] = []
    while len(spent) < SAMPLES and time.monotonic() < until:
        began = time.perf_counter()
        (await http.get("/api/compilations")).raise_for_status()
        spent.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(PAUSE_S)
    return spent


def _client(url: str, key: str) -> httpx.AsyncClient:
    headers, limits = {"Authorization": f"Bearer {key}"}, httpx.Limits(max_connections=None)
    return httpx.AsyncClient(base_url=url, headers=headers, timeout=60, limits=limits, verify=False)


async def attack(url: str, key: str, media_id: str, seconds: float) -> Counter[int]:
    """Let all hostile clients send for this time. Return the statuses of the replies."""
    statuses: Counter[int] = Counter()
    until = time.monotonic() + seconds
    async with _client(url, key) as http:
        clients = [HostileClient(http, media_id, number) for number in range(CLIENTS)]
        await asyncio.gather(*(client.attack(until, statuses) for client in clients))
    return statuses


def _attack(url: str, key: str, media_id: str, seconds: float) -> Counter[int]:
    return asyncio.run(attack(url, key, media_id, seconds))


async def listing(url: str, key: str, seconds: float) -> list[float]:
    """Return the latencies of a client of another key, measured for this time at most."""
    async with _client(url, key) as http:
        return await latencies(http, time.monotonic() + seconds)


def _p99(values: list[float]) -> float:
    return statistics.quantiles(values, n=100)[98]


def main() -> None:
    """Measure and print the comparison."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hostile", description=__doc__)
    parser.add_argument("--seconds", type=float, default=30, help="time of each measurement")
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory(prefix="clipmill-bench-") as scratch, ExitStack() as stack:
        folder = Path(scratch)
        clip = clips.make(folder / "clips", 1, 1, (("320x180", "30"),))[0]
        url, admin_key, _ = stack.enter_context(server(folder / "state", ""))
        admin = stack.enter_context(Client(url, admin_key)).admin
        admin.put_tier(TierView(name="bench"))
        keys = []
        for name in ("hostile", "other"):
            admin.put_user(UserView(name=name, tier="bench"))
            keys.append(admin.create_key(name))
        user = stack.enter_context(Client(url, keys[0]))
        media_id = user.upload_media(clip, MediaKind.CLIP).id
        idle = asyncio.run(listing(url, keys[1], seconds))
        # In a process of its own, so that the attackers do not slow the measurement itself.
        with ProcessPoolExecutor(1) as pool:
            attacking = pool.submit(_attack, url, keys[0], media_id, WARM_UP_S + seconds)
            time.sleep(WARM_UP_S)
            attacked = asyncio.run(listing(url, keys[1], seconds))
            statuses = attacking.result()
    ratio = _p99(attacked) / _p99(idle)
    print("| | p50 | p99 |\n|---|---:|---:|")
    for name, values in (("idle", idle), (f"{CLIENTS} hostile clients", attacked)):
        print(f"| {name} | {statistics.median(values):.1f} ms | {_p99(values):.1f} ms |")
    print(
        f"\np99 x {ratio:.1f} of {len(attacked)} samples (target: at most {TARGET});"
        f" attack: {dict(sorted(statuses.items()))}"
    )


if __name__ == "__main__":
    main()
