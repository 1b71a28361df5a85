"""The number of API calls of a local render: a constant, and six for each clip."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import clipmaker
from clipmill.protocol import CompilationState
from clipmill.spec import Manifest
from clipmill_cli.local import local_render
from clipmill_cli.local.local_api import LocalAPI, SourceAccess
from harness import SMALL
from sources_server import SourceServer, serve_sources

# Per clip: claim, upload of clip and thumbnail, download of the clip, upload of its segment; and
# its download by the assembly, if it was rendered while other clips were fetched.
CALLS_PER_CLIP = 6
# Per compilation: the claim that finds no clip left, that of the assembly, and the upload of its
# results and companion files.
CONSTANT_CALLS = 15
# Claims of the render task that runs beside the fetches, and its result.
EARLY_CALLS = 5
# A claim that has to wait answers 503: how often depends on time.
REQUESTS = re.compile(
    r'clipmill_http_requests_total\{handler="([^"]+)",method="(\w+)",status="[^5]\d+"\} (\S+)'
)


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SourceServer]:
    """A web server with four small clips of different content."""
    folder = tmp_path_factory.mktemp("web")
    for i in range(4):
        sound = f"sine=frequency={300 + 90 * i}:sample_rate=48000"
        picture = f"testsrc2,hue=h={90 * i}"
        clipmaker.clip(folder / f"{i}.mp4", seconds=1, sound=sound, picture=picture)
    with serve_sources(folder) as served:
        yield served


def calls_of_jobs(api: LocalAPI) -> Counter[str]:
    """Return the requests of jobs by route, without heartbeats, whose number depends on time."""
    text = api.user.connection.request_once("GET", "/metrics").text
    calls: Counter[str] = Counter()
    for route, method, count in REQUESTS.findall(text):
        is_job = route.startswith(("/api/worker", "/api/uploads")) or route.endswith("/content")
        if is_job and not route.endswith("/heartbeat"):
            calls[f"{method} {route}"] += int(float(count))
    return calls


def run(state: Path, web: SourceServer, clips: int, *, is_reversed: bool = False) -> Counter[str]:
    """Render a compilation of so many fetched clips; return the calls of its jobs."""
    order = range(clips)[:: -1 if is_reversed else 1]
    manifest = Manifest.model_validate(
        {
            "apiVersion": "clipmill.dev/v1alpha1",
            "kind": "Compilation",
            "metadata": {"name": f"of-{clips}"},
            "spec": {
                "clips": [{"url": web.url(f"{i}.mp4")} for i in order],
                "outputs": [SMALL],
            },
        }
    )
    with LocalAPI(state, SourceAccess(private_addresses=(web.address,))) as api:
        view, _ = local_render.render(api, manifest, workers=2, on_progress=lambda _: None)
        assert (view.state, view.degraded) == (CompilationState.SUCCEEDED, False), view
        return calls_of_jobs(api)


def test_calls_grow_by_six_for_each_clip(tmp_path: Path, web: SourceServer) -> None:
    """Three clips more take six calls each, and a render task may start."""
    one, four = run(tmp_path / "one", web, 1), run(tmp_path / "four", web, 4)
    more = four - one
    assert more.total() <= 3 * CALLS_PER_CLIP + EARLY_CALLS, more
    assert one.total() <= CONSTANT_CALLS, one


def test_calls_of_an_edit_do_not_grow_with_its_segments(tmp_path: Path, web: SourceServer) -> None:
    """Stored segments are linked by what the assignment says of them."""
    run(tmp_path, web, 4)
    calls = run(tmp_path, web, 4, is_reversed=True)
    assert not [call for call in calls if "/segments/" in call], calls
    assert calls.total() <= CONSTANT_CALLS, calls
