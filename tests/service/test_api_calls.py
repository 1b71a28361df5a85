"""How often a whole local run asks the API: a constant, and five for each clip."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import clipmaker
from clipmill.protocol import State
from clipmill.spec import Manifest
from clipmill_cli.local import local_render
from clipmill_cli.local.local_api import Access, LocalAPI
from harness import SMALL
from sources_server import Served, serving

A_CLIP = 5
"""Calls for one clip more: its part claimed, clip and thumbnail sent, and for its segment the clip
fetched and the segment sent."""
CONSTANT = 14
"""Calls of a compilation whatever its clips: order, results and what comes with them."""
JOBS = re.compile(r'clipmill_requests_total\{method="(\w+)",route="([^"]+)",status="\d+"\} (\S+)')


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Four small clips of different content on a web server."""
    folder = tmp_path_factory.mktemp("web")
    for i in range(4):
        sound = f"sine=frequency={300 + 90 * i}:sample_rate=48000"
        picture = f"testsrc2,hue=h={90 * i}"
        clipmaker.clip(folder / f"{i}.mp4", seconds=1, sound=sound, picture=picture)
    with serving(folder) as served:
        yield served


def calls_of_jobs(api: LocalAPI) -> Counter[str]:
    """Requests that jobs make, by pattern, as /metrics counts them. Beats come by time."""
    text = api.user.wire.once("GET", "/metrics").text
    found: Counter[str] = Counter()
    for method, route, count in JOBS.findall(text):
        own = route.startswith(("/api/worker", "/api/uploads")) or route.endswith("/content")
        if own and not route.endswith("/heartbeat"):
            found[f"{method} {route}"] += int(float(count))
    return found


def run(state: Path, web: Served, clips: int) -> Counter[str]:
    """What the jobs of one compilation of so many fetched clips asked."""
    made = Manifest.model_validate(
        {
            "apiVersion": "clipmill.dev/v1alpha1",
            "kind": "Compilation",
            "metadata": {"name": f"of-{clips}"},
            "spec": {
                "clips": [{"url": web.url(f"{i}.mp4")} for i in range(clips)],
                "outputs": [SMALL],
            },
        }
    )
    with LocalAPI(state, Access(private=(web.place,))) as api:
        view, _ = local_render.run(api, made, workers=2, tell=lambda _: None)
        assert (view.state, view.degraded) == (State.SUCCEEDED, False), view
        return calls_of_jobs(api)


def test_calls_grow_by_five_for_each_clip(tmp_path: Path, web: Served) -> None:
    """One clip and four: what is more, is five calls a clip."""
    one, four = run(tmp_path / "one", web, 1), run(tmp_path / "four", web, 4)
    more = four - one
    assert more.total() <= 3 * A_CLIP, more
    assert one.total() <= CONSTANT, one
