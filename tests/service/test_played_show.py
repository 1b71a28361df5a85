"""A show is played on an injected clock: forty scheduled times over both daylight-saving changes.

At each time something goes wrong, or nothing. At the end each scheduled time has the one episode
that it must have, and no clip was played twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from clipmill.protocol import Stage, TaskFailure
from clipmill.shows.candidates import DiscoverResult
from clipmill.shows.show_messages import EpisodeView, FailedDiscovery, ShowTick
from clipmill_client.client import Client
from clipmill_client.errors import PermanentError
from harness import Harness, StillClock, running
from pods import assemble, fetch
from show_pods import clips, discover, discover_pod, register_show

BERLIN = ZoneInfo("Europe/Berlin")
# 02:30 does not exist on the first change's day, and twice on the second one's.
SCHEDULE = "30 0,2,6,12,18 * * *"
SPRING = [date(2027, 3, day) for day in (26, 27, 28, 29)]
AUTUMN = [date(2027, 10, day) for day in (29, 30, 31)] + [date(2027, 11, 1)]
DEADLINE_S = 3600

OK = ("Succeeded", "")
# What goes wrong at each of ten times in a row, and how the episode ends.
FAULTS: list[tuple[str, tuple[str, str]]] = [
    ("nothing", OK),
    ("two tickers", OK),
    ("pod killed", OK),
    ("lost replies", OK),
    ("renders until the next", OK),
    ("nothing", ("Skipped", "StillRunning")),
    ("pod retries", OK),
    ("pod gives up", ("Failed", "DiscoveryFailed")),
    ("tick too late", ("Skipped", "DeadlineMissed")),
    ("too few clips", ("Skipped", "TooFewClips")),
]


def scheduled_times(days: list[date]) -> list[datetime]:
    """Return the times of the schedule on these days, in UTC, as a person would write them."""
    times = []
    for day in days:
        for hour in (0, 2, 6, 12, 18):
            local = datetime(day.year, day.month, day.day, hour, 30, tzinfo=BERLIN)
            times.append(local.astimezone(UTC))
    # 28 March has no 02:30: what would have run then runs when the clocks are set ahead to 03:00.
    skipped = datetime(2027, 3, 28, 1, 30, tzinfo=UTC)
    return [datetime(2027, 3, 28, 1, 0, tzinfo=UTC) if t == skipped else t for t in times]


class PlayedShow:
    """A show, the clock, and what tickers, pods and the operator do at each scheduled time."""

    def __init__(self, api: Harness, file: Path, owner: str, user: Client) -> None:
        self.api, self.file, self.owner, self.user = api, file, owner, user
        self.cursor = 0
        self.unfinished: EpisodeView | None = None

    def register(self, generation: int, **fields: Any) -> str:
        """Register a generation of the show, twice, as if the first reply were lost."""
        options = {
            "schedule": SCHEDULE,
            "timeZone": "Europe/Berlin",
            "startingDeadlineSeconds": DEADLINE_S,
            "select": {"most": 1},
            "history": {"successful": 99, "failed": 99},
            **fields,
        }
        for _ in range(2):
            show = register_show(
                self.api, self.owner, uid="played", generation=generation, **options
            )
        return show.id

    def at(self, time: datetime) -> None:
        """Set the clock."""
        self.api.clock.advance((time - self.api.clock()).total_seconds())

    def tick(self) -> ShowTick:
        """Send a tick."""
        reply = self.api.operator.shows.tick(self.cursor)
        self.cursor = reply.cursor
        return reply

    def play(self, time: datetime, fault: str) -> None:
        """Play one scheduled time."""
        self.at(time + timedelta(seconds=2 * DEADLINE_S if fault == "tick too late" else 2))
        tickers = 8 if fault == "two tickers" else 1
        with ThreadPoolExecutor(tickers) as pool:
            list(pool.map(lambda _: self.tick(), range(tickers)))
        jobs = self.tick().discover
        if self.unfinished is not None:
            self.render(self.unfinished)
            self.unfinished = None
            return
        assert len(jobs) == (fault != "tick too late")
        for job in jobs:
            self.discover(job.episode_id, fault)
            episode = self.user.shows.episode(job.episode_id)
            if fault == "renders until the next":
                self.unfinished = episode
            elif episode.compilation_id:
                self.render(episode)

    def discover(self, episode_id: str, fault: str) -> None:
        """Play the discover task."""
        operator = self.api.operator.shows
        if fault == "pod gives up":
            for _ in range(2):
                operator.report_failed(episode_id, FailedDiscovery(message="the pod died"))
        elif fault == "pod killed":
            killed = discover_pod(self.api, episode_id)
            epoch = killed.discovery.claim("killed").epoch
            self.api.clock.advance(120)
            late = self.api.client(operator.create_key(episode_id))
            assert late.discovery.claim("next").epoch == epoch + 1
            with pytest.raises(PermanentError):
                killed.discovery.result(DiscoverResult(epoch=epoch, candidates=clips(1)))
            late.discovery.result(DiscoverResult(epoch=epoch + 1, candidates=clips(1)))
        elif fault == "pod retries":
            pod = discover_pod(self.api, episode_id)
            failure = TaskFailure(code="RateLimited", message="later", permanent=False)
            epoch = pod.discovery.claim("pod").epoch
            pod.discovery.result(DiscoverResult(epoch=epoch, failure=failure))
            discover(self.api, episode_id, clips(1))
        elif fault == "lost replies":
            pod = discover_pod(self.api, episode_id)
            epochs = {pod.discovery.claim("pod").epoch for _ in range(3)}
            result = DiscoverResult(epoch=epochs.pop(), candidates=clips(1))
            assert not epochs
            for _ in range(3):
                pod.discovery.result(result)
        else:
            discover(self.api, episode_id, clips(0 if fault == "too few clips" else 1))

    def render(self, episode: EpisodeView) -> None:
        """Play the pods of the episode's compilation."""
        submissions = {s.id: s for s in self.api.operator.submissions()}
        uid = submissions[str(episode.compilation_id)].uid
        fetch(self.api.job(uid, Stage.FETCH), 0, self.file)
        assemble(self.api.job(uid, Stage.ASSEMBLE), self.file)


@pytest.fixture(params=["sqlite", "postgresql"])
def start(
    request: pytest.FixtureRequest, tmp_path: Path, new_postgres: Callable[[], str]
) -> Iterator[Callable[[], Any]]:
    """Return a function that starts the API; the second time on the same state."""
    url = new_postgres() if request.param == "postgresql" else ""
    return lambda: running(tmp_path / "state", url, allow_any_host=True, clock=StillClock())


def test_forty_times(start: Callable[[], Any], two_seconds: Path) -> None:
    """Both changes of the clocks, with a restart of the API and a pause between them."""
    times = [*scheduled_times(SPRING), *scheduled_times(AUTUMN)]
    assert len(times) == 40
    with start() as api:
        owner, user = api.user()
        show = PlayedShow(api, two_seconds, owner, user)
        show.at(times[0] - timedelta(hours=1))
        show_id = show.register(1)
        for i, time in enumerate(times[:20]):
            show.play(time, FAULTS[i % len(FAULTS)][0])
        show.register(2, suspend=True)
    with start() as api:
        show = PlayedShow(api, two_seconds, owner, api.client(api.admin.create_key(owner)))
        show.at(times[20] - timedelta(hours=2))
        show.tick()
        show.register(3)
        for i, time in enumerate(times[20:]):
            show.play(time, FAULTS[i % len(FAULTS)][0])
        show.tick()
        episodes = show.user.shows.episodes(show_id, limit=200)[::-1]
        _check(api, times, episodes)


def _check(api: Harness, times: list[datetime], episodes: list[EpisodeView]) -> None:
    expected = [FAULTS[i % len(FAULTS)][1] for i in range(len(times))]
    ends = [(e.scheduled_at, e.state.value, e.reason) for e in episodes]
    assert ends == [(time, *end) for time, end in zip(times, expected, strict=True)]
    succeeded = [episode for episode in episodes if episode.state == "Succeeded"]
    assert [episode.number for episode in succeeded] == list(range(1, len(succeeded) + 1))
    assert len({episode.name for episode in episodes}) == len(times)
    rows = api.rows("SELECT id, name FROM compilations")
    assert sorted(row["name"] for row in rows) == sorted(e.name for e in succeeded)
    used = api.rows("SELECT clip_key FROM used_clips")
    assert len(used) == len({row["clip_key"] for row in used}) == len(succeeded)
