"""The tick: a fixed number of statements at rest, one episode per scheduled time under races."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from clipmill.shows.show_messages import EpisodeState, ShowTick
from clipmill_api.queries.shows import show_rows
from clipmill_api.shows.show_registration import dump_show_spec
from clipmill_api.shows.show_tick import tick
from clipmill_api.tables import ShowRow
from harness import Harness, StillClock, running
from replicas import two_replicas
from service_statements import StatementCounter
from show_pods import register_show, show_spec

MANY = 1000
# Five queries; SQLite begins two transactions besides.
MAX_STATEMENTS_AT_REST = 7
# Processor time: the wall clock is that of a busy machine.


@pytest.fixture
def resting(
    database_url: str, tmp_path: Path, new_postgres: Callable[[], str]
) -> Iterator[Harness]:
    """An API of its own with a thousand shows, none of which is due."""
    url = new_postgres() if database_url else ""
    with running(tmp_path / "state", url, clock=StillClock()) as api:
        owner, _ = api.user()
        now = api.ctx.now()
        spec = dump_show_spec(show_spec(schedule="0 0 1 1 *"))
        rows = [
            ShowRow(
                **{"id": f"h-{i:08d}", "identity": uuid.uuid4().hex, "owner": owner},
                **{"namespace": "default", "name": f"show-{i}", "generation": 1, "spec": spec},
                **{"ready": True, "reason": "", "message": "", "episodes": 0},
                **{"counted_from": now, "changed_at": now, "created_at": now},
                **{"evaluate_at": now + timedelta(days=9), "next_at": now + timedelta(days=9)},
            )
            for i in range(MANY)
        ]
        api.ctx.db.write(lambda session: session.add_all(rows))
        yield api


@pytest.fixture
def still(database_url: str, tmp_path: Path, new_postgres: Callable[[], str]) -> Iterator[Harness]:
    """An API of its own on each database, whose clock stands still."""
    url = new_postgres() if database_url else ""
    with running(tmp_path / "still", url, clock=StillClock()) as api:
        yield api


def test_a_thousand_shows_at_rest(resting: Harness) -> None:
    """A tick reads a few indexes, and returns nothing that has not changed."""
    first = tick(resting.ctx, 0)
    assert len(first.changed) == MANY
    resting.clock.advance(60)
    cursor = tick(resting.ctx, first.cursor).cursor
    counter = StatementCounter(resting.ctx)
    with counter.listening():
        reply: ShowTick = counter.of("tick", lambda: tick(resting.ctx, cursor))
    assert (reply.changed, reply.discover) == ([], [])
    assert counter.counts["tick"] <= MAX_STATEMENTS_AT_REST


def test_changes_are_returned_once(resting: Harness) -> None:
    """A change is returned by the next ticks, and no longer after the overlap."""
    resting.clock.advance(60)
    cursor = tick(resting.ctx, 0).cursor
    owner = resting.rows("SELECT owner FROM shows LIMIT 1")[0]["owner"]
    show = register_show(resting, owner, schedule="0 0 1 1 *")
    reply = tick(resting.ctx, cursor)
    assert [view.id for view in reply.changed] == [show.id]
    resting.clock.advance(60)
    later = tick(resting.ctx, tick(resting.ctx, reply.cursor).cursor)
    assert later.changed == []


def test_a_cursor_from_the_future(resting: Harness) -> None:
    """After a clock that was set back, no change is lost."""
    resting.clock.advance(3600)
    cursor = tick(resting.ctx, 0).cursor
    resting.clock.advance(-1800)
    owner = resting.rows("SELECT owner FROM shows LIMIT 1")[0]["owner"]
    show = register_show(resting, owner, schedule="0 0 1 1 *")
    assert [view.id for view in tick(resting.ctx, cursor).changed] == [show.id]


def test_many_tickers_start_one_episode(still: Harness) -> None:
    """Eight ticks at once: each scheduled time has one episode."""
    owner, user = still.user()
    shows = [register_show(still, owner, name=f"show-{i}") for i in range(5)]
    still.clock.advance(60)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: tick(still.ctx, 0), range(8)))
    for show in shows:
        assert [e.state for e in user.shows.episodes(show.id)] == [EpisodeState.DISCOVERING]
        still.operator.shows.delete(str(show.uid))


def test_two_replicas_start_one_episode(tmp_path: Path, fresh_postgres: str) -> None:
    """Two operators send ticks to two replicas of the API, whose clocks differ by a minute."""
    with two_replicas(tmp_path / "state", fresh_postgres, skew_s=60) as replicas:
        first, second = replicas
        owner, user = first.user()
        show = register_show(first, owner, concurrency_policy="Allow", history={"failed": 99})
        _set_back(first, show.id)
        with ThreadPoolExecutor(8) as pool:
            contexts = [first.ctx, second.ctx] * 4
            list(pool.map(lambda ctx: tick(ctx, 0), contexts))
        times = [episode.scheduled_at for episode in user.shows.episodes(show.id)]
        assert len(times) == len(set(times)) == 6


def _set_back(api: Harness, show_id: str) -> None:
    """Let five minutes pass for a show, since replicas have the clock of their database."""

    def change(session: object) -> None:
        show = show_rows.lock_show(session, show_id)  # type: ignore[arg-type]
        assert show is not None
        show.counted_from -= timedelta(minutes=6)
        show.evaluate_at = show.counted_from

    api.ctx.db.write(change)


def test_one_bad_show_holds_up_no_other(still: Harness) -> None:
    """A spec that this release cannot read is logged and tried later."""
    owner, user = still.user()
    bad = register_show(still, owner, name="bad")
    good = register_show(still, owner, name="good")

    def damage(session: object) -> None:
        session.execute(  # type: ignore[attr-defined]
            text("UPDATE shows SET spec = :s WHERE id = :i"), {"s": '{"x": 1}', "i": bad.id}
        )

    still.ctx.db.write(damage)
    still.clock.advance(60)
    reply = tick(still.ctx, 0)
    assert bad.id not in [view.id for view in reply.changed]
    assert [e.state for e in user.shows.episodes(good.id)] == [EpisodeState.DISCOVERING]
    assert tick(still.ctx, 0).discover != []
    for show in (bad, good):
        still.operator.shows.delete(str(show.uid))
