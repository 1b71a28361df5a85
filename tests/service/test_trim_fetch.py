"""A trim of a long recording fetches the trim: bytes, rows, and the frames of the whole file."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import clipmaker
import long_sources
from clipmill.protocol import CompilationState, CompilationView, Media, Stage
from harness import Harness, running
from long_sources import BITS, RATE
from range_server import RangeServer, serve_ranges
from studio import Studio, custom, run

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
LENGTH_S = 180
HOURS_S = 6 * 3600
LATER_S = 3 * 3600
START_S, END_S = 121, 124
SOURCES = ("front.mp4", "end.mp4", "front.mkv", "end.mkv", "hls/list.m3u8", "fmp4/list.m3u8")
# Fetched beyond the trim at most.
MOST_S, MOST_BYTES = 30, 10_000_000
MILLISECOND = 48
# Fragments begin with what the sound's encoder needs, before the first picture.
PRIMING_S = 1024 / 48_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of 3 minutes in every container, and one of 6 hours."""
    path = tmp_path_factory.mktemp("served")
    source = long_sources.recording(path / "front.mp4", LENGTH_S)
    long_sources.repack(source, path / "end.mp4")
    long_sources.repack(source, path / "end.mkv")
    front = ("-cues_to_front", "1", "-reserve_index_space", "20000")
    long_sources.repack(source, path / "front.mkv", *front)
    long_sources.playlist(source, path / "hls" / "list.m3u8")
    long_sources.playlist(source, path / "fmp4" / "list.m3u8", "-hls_segment_type", "fmp4")
    short = long_sources.repack(source, path / "short.mp4", "-t", "48")
    (path / "hours").mkdir()
    long_sources.sparse_playlist(short, path / "hours", at_s=LATER_S, length_s=HOURS_S)
    return path


@pytest.fixture(scope="module")
def web(folder: Path) -> Iterator[RangeServer]:
    """A server of the recordings."""
    with serve_ranges(folder) as server:
        yield server


@pytest.fixture(scope="module")
def local(web: RangeServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """An API that allows the server's address."""
    with running(tmp_path_factory.mktemp("state"), allow_private=(web.address,)) as harness:
        yield harness


@pytest.fixture
def studio(local: Harness, web: RangeServer, tmp_path: Path) -> Studio:
    """A new owner; the server behaves again."""
    web.reset()
    web.has_ranges, web.redirect = True, lambda _: ""
    return Studio(local, tmp_path)


def spec_of(*clips: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a spec of clips with a small output of another rate than the recording's."""
    return {"clips": list(clips), "outputs": [custom()], **more}


def rendered(studio: Studio, spec: dict[str, Any]) -> CompilationView:
    """Register a spec, run every task, and return the finished compilation."""
    uid, plan = studio.api.register(studio.owner, spec)
    for index in plan.to_fetch:
        assert run(studio.api, uid, Stage.FETCH, index) == 0
    if studio.api.operator.plan(uid).state is CompilationState.RENDERING:
        run(studio.api, uid, Stage.ASSEMBLE)
    return studio.api.operator.view(uid)


def download(studio: Studio, view: CompilationView) -> Path:
    """Return the finished video."""
    assert view.state is CompilationState.SUCCEEDED, f"{view.reason}: {view.message}"
    path = studio.folder / f"{view.id}.mp4"
    studio.user.download_output(view.id, "main", path)
    return path


def media_of(studio: Studio, view: CompilationView, clip: int = 0) -> Media:
    """Return the media of a clip."""
    return studio.user.media(str(view.clips[clip].media_id))


def grid_numbers(start_s: float, end_s: float) -> list[int]:
    """Return the numbers of the recording's frames that an output of 30 frames per second shows."""
    frames = (start_s * 30 + i for i in range(round((end_s - start_s) * 30)))
    return [int((frame + 0.45) * RATE / 30) for frame in frames]


@pytest.mark.parametrize("name", SOURCES)
def test_a_trim_fetches_the_trim(studio: Studio, web: RangeServer, name: str) -> None:
    """Its frames and samples are those of the whole file, and little else was fetched."""
    trim = {"start": f"{START_S}s", "end": f"{END_S}s"}
    view = rendered(studio, spec_of({"url": web.url(name), **trim}))
    sent_bytes, facts = web.sent_bytes, media_of(studio, view).facts
    video = download(studio, view)
    trim_bytes = (END_S - START_S) * 1_500_000 // 8
    assert sent_bytes < trim_bytes + MOST_BYTES
    assert facts is not None
    assert facts.duration_us <= (END_S - START_S + MOST_S) * 1_000_000
    assert facts.excerpt is not None
    assert abs(facts.source_us - LENGTH_S * 1_000_000) < 100_000
    of_whole = video_of_whole(Studio(studio.api, studio.folder), web.url(name), trim)
    numbers = clipmaker.frame_numbers(video, BITS)
    assert numbers == clipmaker.frame_numbers(of_whole, BITS)
    if name.endswith(("mp4", "mkv")):
        assert numbers == grid_numbers(START_S, END_S)
    # Matroska has times in milliseconds, on which the first sound of a file depends.
    shifts = range(-MILLISECOND, MILLISECOND + 1) if name.endswith("mkv") else range(1)
    assert min(difference(of_whole, video, shift) for shift in shifts) < 0.02


def video_of_whole(studio: Studio, url: str, trim: dict[str, str]) -> Path:
    """Return the video of a trim after the whole source was fetched, for a clip without an end."""
    uid, _ = studio.api.register(studio.owner, spec_of({"url": url, "start": trim["start"]}))
    assert run(studio.api, uid, Stage.FETCH) == 0
    view = rendered(studio, spec_of({"url": url, **trim}))
    facts = media_of(studio, view).facts
    assert facts is not None
    assert facts.excerpt is None
    return download(studio, view)


def difference(one: Path, other: Path, shift: int) -> float:
    """Return the largest difference of samples in the middle, the second ones `shift` later."""
    first, second = _middle(one), _middle(other)
    inner = range(MILLISECOND, len(first) - MILLISECOND)
    return max(abs(first[i] - second[i + shift]) for i in inner)


@cache
def _middle(path: Path) -> array[float]:
    samples = clipmaker.samples(path)
    return samples[len(samples) // 2 - 2000 : len(samples) // 2 + 2000]


def test_twenty_seconds_of_six_hours(studio: Studio, web: RangeServer) -> None:
    """The fragments that cover them, and the start of the first one; the length is known."""
    start_s = LATER_S + 13
    trim = {"start": f"{start_s}s", "end": f"{start_s + 20}s"}
    view = rendered(studio, spec_of({"url": web.url("hours/list.m3u8"), **trim}))
    sent_bytes, media = web.sent_bytes, media_of(studio, view)
    fragments = {path for path, _ in web.requests if path.endswith(".ts")}
    numbers = [int(path.split("/")[-1].split(".")[0]) for path in fragments]
    first = start_s // long_sources.FRAGMENT_S
    assert sorted(numbers) == [0, first, first + 1, first + 2, first + 3]
    assert sent_bytes < 20 * 1_500_000 // 8 + MOST_BYTES
    assert media.facts is not None
    assert media.facts.source_us == HOURS_S * 1_000_000
    assert media.facts.duration_us < (20 + MOST_S) * 1_000_000
    numbers = clipmaker.frame_numbers(download(studio, view), BITS)
    assert numbers == grid_numbers(13 - PRIMING_S, 33 - PRIMING_S)


def test_distant_trims_are_files_of_their_own(studio: Studio, web: RangeServer) -> None:
    """Near parts are one; a trim within a stored part is reused, a wider one is fetched."""
    url = web.url("end.mp4")
    clips = [{"url": url, "start": f"{s}s", "end": f"{s + 2}s"} for s in (20, 25, 120)]
    view = rendered(studio, spec_of(*clips))
    media = [media_of(studio, view, i) for i in range(3)]
    assert media[0].id == media[1].id != media[2].id
    keys = {each.clip_key for each in media}
    assert len(keys) == 2
    assert not any(key == f"{web.address}/end.mp4" for key in keys)
    expected = [number for s in (20, 25, 120) for number in grid_numbers(s, s + 2)]
    assert clipmaker.frame_numbers(download(studio, view), BITS) == expected
    sql = "SELECT count(*) AS n FROM media WHERE owner = :o AND excerpt_of IS NOT NULL"
    assert studio.api.rows(sql, o=studio.owner) == [{"n": 2}]
    web.reset()
    within = rendered(studio, spec_of({"url": url, "start": "120.5s", "end": "121.5s"}))
    assert (web.sent_bytes, media_of(studio, within).id) == (0, media[2].id)
    assert clipmaker.frame_numbers(download(studio, within), BITS) == grid_numbers(120.5, 121.5)
    wider = rendered(studio, spec_of({"url": url, "start": "118s", "end": "126s"}))
    assert media_of(studio, wider).id not in {each.id for each in media}
    assert clipmaker.frame_numbers(download(studio, wider), BITS) == grid_numbers(118, 126)
    sql = "SELECT sum(size_bytes) AS n FROM media WHERE owner = :o"
    stored = studio.api.rows(
        "SELECT storage_used_bytes AS n FROM users WHERE name = :o", o=studio.owner
    )
    assert stored == studio.api.rows(sql, o=studio.owner)


def test_the_end_of_a_recording(studio: Studio, web: RangeServer) -> None:
    """A trim beyond the end stops there; one that starts beyond it is refused with the length."""
    beyond = {"start": f"{LENGTH_S - 2}s", "end": f"{LENGTH_S + 60}s"}
    view = rendered(studio, spec_of({"url": web.url("front.mp4"), **beyond}))
    assert clipmaker.frame_numbers(download(studio, view), BITS) == grid_numbers(
        LENGTH_S - 2, LENGTH_S
    )
    facts = media_of(studio, view).facts
    assert facts is not None
    assert facts.excerpt is not None
    assert facts.excerpt.rest_us == 0
    late = {"start": f"{LENGTH_S + 20}s", "end": f"{LENGTH_S + 22}s"}
    view = rendered(studio, spec_of({"url": web.url("end.mp4"), **late}))
    assert view.clips[0].reason == "TrimOutsideClip"
    assert "180.0" in str(view.clips[0].message)


def test_a_server_without_ranges_sends_the_whole(studio: Studio, web: RangeServer) -> None:
    """The log says why."""
    web.has_ranges = False
    trim = {"start": f"{START_S}s", "end": f"{END_S}s"}
    view = rendered(studio, spec_of({"url": web.url("front.mp4"), **trim}))
    media = media_of(studio, view)
    assert media.facts is not None
    assert media.facts.excerpt is None
    assert media.clip_key == f"{web.address}/front.mp4"
    assert clipmaker.frame_numbers(download(studio, view), BITS) == grid_numbers(START_S, END_S)
    sql = "SELECT line FROM log_lines WHERE compilation_id = :c"
    lines = [row["line"] for row in studio.api.rows(sql, c=view.id)]
    reason = "whole source, since its server does not send spans of files"
    assert any(reason in line for line in lines), lines


@pytest.mark.parametrize("name", ["end.mp4", "hls/list.m3u8"])
def test_a_redirect_to_a_private_address_is_refused(
    studio: Studio, web: RangeServer, folder: Path, name: str
) -> None:
    """Each request is checked: also one in the middle, and nothing arrives at that address."""
    with serve_ranges(folder) as private:
        web.redirect = lambda number: private.url(name) if number > 4 else ""
        trim = {"start": f"{START_S}s", "end": f"{END_S}s"}
        uid, _ = studio.api.register(studio.owner, spec_of({"url": web.url(name), **trim}))
        run(studio.api, uid, Stage.FETCH)
        assert len(web.requests) > 4
        assert not private.requests
    view = studio.api.operator.view(uid)
    assert view.state is CompilationState.FAILED
    assert view.clips[0].reason == "ForbiddenURL"
