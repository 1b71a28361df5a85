"""Shows without a cluster: `clipmill serve` sends the ticks and runs the discover tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clipmill.protocol import ExitCode, SubmissionAction
from clipmill.shows.candidates import DiscoverResult
from clipmill.shows.show_messages import EpisodeState
from clipmill_cli.local.embedded_shows import EmbeddedShows
from harness import Harness, StillClock, running
from show_pods import clips, show_spec


class EndedProcess:
    """A discover process that has ended."""

    def __init__(self, exit_code: int) -> None:
        self._exit_code = exit_code

    def poll(self) -> int:
        return self._exit_code

    def terminate(self) -> None:
        pass

    def last_line(self) -> str:
        return "Killed: out of memory"


class Launcher:
    """Plays discover tasks in this process, or lets them end with an exit code."""

    def __init__(self, api: Harness, exit_code: int = ExitCode.OK) -> None:
        self._api, self._exit_code = api, exit_code
        self.episodes: list[str] = []

    def discover(self, episode_id: str, key: str) -> EndedProcess:
        self.episodes.append(episode_id)
        if self._exit_code == ExitCode.OK:
            pod = self._api.client(key)
            epoch = pod.discovery.claim("local").epoch
            pod.discovery.result(DiscoverResult(epoch=epoch, candidates=clips(1)))
        return EndedProcess(self._exit_code)


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Harness]:
    """An API of its own, since a tick is about all shows."""
    with running(tmp_path / "state", allow_any_host=True, clock=StillClock()) as harness:
        yield harness


def embedded(api: Harness, launcher: Launcher, seconds: Callable[[], float]) -> EmbeddedShows:
    """Return the shows of a server."""
    return EmbeddedShows(api.operator, launcher, workers=2, clock=seconds)


def test_an_episode_is_discovered_here(api: Harness) -> None:
    """Once, by one process, whose result becomes a compilation."""
    _, user = api.user()
    show = user.shows.create("weekly", show_spec())
    launcher = Launcher(api)
    shows = embedded(api, launcher, lambda: 0.0)
    api.clock.advance(60)
    for _ in range(3):
        shows.tick()
        shows.step()
        shows.step()
    (episode,) = user.shows.episodes(show.id)
    assert (episode.state, launcher.episodes) == (EpisodeState.CREATED, [episode.id])


def test_a_process_that_keeps_dying(api: Harness) -> None:
    """After four attempts with pauses the episode fails, with the last line of its log."""
    _, user = api.user()
    show = user.shows.create("weekly", show_spec())
    launcher = Launcher(api, exit_code=137)
    seconds = iter(range(0, 10_000, 10))
    shows = embedded(api, launcher, lambda: float(next(seconds)))
    api.clock.advance(60)
    shows.tick()
    for _ in range(10):
        shows.step()
    (episode,) = user.shows.episodes(show.id)
    assert (episode.state, len(launcher.episodes)) == (EpisodeState.FAILED, 4)
    assert "Killed: out of memory" in episode.message


def test_processes_that_report_nothing(api: Harness) -> None:
    """One that ends as if it had reported is started again, and given up at last."""
    _, user = api.user()
    show = user.shows.create("weekly", show_spec())
    launcher = Launcher(api, exit_code=ExitCode.LEASE_LOST)
    shows = embedded(api, launcher, lambda: 0.0)
    api.clock.advance(60)
    for _ in range(6):
        shows.tick()
        shows.step()
        shows.step()
    assert user.shows.episodes(show.id)[0].state == EpisodeState.FAILED
    assert len(launcher.episodes) == 4


def test_deletions_are_confirmed(api: Harness) -> None:
    """Without a cluster there is no resource to delete, so that nothing waits for it."""
    _, user = api.user()
    show = user.shows.create("weekly", show_spec())
    shows = embedded(api, Launcher(api), lambda: 0.0)
    api.clock.advance(60)
    shows.tick()
    shows.step()
    user.shows.delete(show.id)
    assert len(api.operator.submissions(SubmissionAction.DELETE)) == 1
    shows.tick()
    assert api.operator.submissions(SubmissionAction.DELETE) == []


def test_the_thread_ends_with_its_block(api: Harness) -> None:
    """It sends ticks until then."""
    _, user = api.user()
    show = user.shows.create("weekly", show_spec())
    api.clock.advance(60)
    with EmbeddedShows(api.operator, Launcher(api), workers=1):
        for _ in range(200):
            if user.shows.episodes(show.id):
                break
    assert len(user.shows.episodes(show.id)) == 1
