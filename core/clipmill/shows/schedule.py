"""Decide which scheduled time of a show starts an episode, as CronJob does it.

Pure functions of (spec, last scheduled time, now). A clock that jumps back therefore starts
nothing twice, and one that jumps ahead starts one episode.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile

from clipmill.shows.cron_schedule import time_zone, times_after
from clipmill.shows.show_spec import ShowSpec

MAX_MISSED = 100
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class DueRuns:
    """The scheduled time at which an episode starts now, and those without an episode."""

    run_at: datetime | None = None
    # The newest MAX_MISSED times that an episode can no longer start at, in order. Their reason is
    # SkipReason.DEADLINE_MISSED.
    missed: tuple[datetime, ...] = ()


def next_time(spec: ShowSpec, after: datetime) -> datetime:
    """Return the first scheduled time after a time, in UTC. Whether the show is suspended is
    ignored.

    Raises:
        ValueError: The schedule has no further time within 50 years.
    """
    time = next(times_after(spec.schedule, time_zone(spec.time_zone), after), None)
    if time is None:
        raise ValueError(f"schedule {spec.schedule!r} has no time after {after:%Y-%m-%d}")
    return time


def due(
    spec: ShowSpec, last: datetime, now: datetime, *, resumed: datetime | None = None
) -> DueRuns:
    """Return what is to start now.

    Of several times that passed, the newest starts, unless it is older than
    startingDeadlineSeconds. A suspended show has nothing due; once it is resumed, the newest time
    of its pause starts under the same rule.

    Args:
        spec: The show.
        last: The later of the last scheduled time that was handled and the creation of the show.
        now: The current time.
        resumed: When the show was resumed or edited: earlier times are not reported as missed.
    """
    if spec.suspend:
        return DueRuns()
    times = _newest_times(spec, last, now)
    if not times:
        return DueRuns()
    on_time = _is_within_deadline(spec, times[-1], now)
    missed = times[:-1] if on_time else times
    return DueRuns(
        run_at=times[-1] if on_time else None,
        missed=tuple(time for time in missed if resumed is None or time > resumed)[-MAX_MISSED:],
    )


def _is_within_deadline(spec: ShowSpec, time: datetime, now: datetime) -> bool:
    deadline = spec.starting_deadline_seconds
    return deadline is None or now - time <= timedelta(seconds=deadline)


def _newest_times(spec: ShowSpec, last: datetime, now: datetime) -> list[datetime]:
    """Return the newest scheduled times after `last` until `now`, at most MAX_MISSED + 1."""
    limit = MAX_MISSED + 1
    zone = time_zone(spec.time_zone)

    def times_from(start: datetime) -> list[datetime]:
        times = takewhile(lambda time: time <= now, times_after(spec.schedule, zone, start))
        return list(islice(times, limit + 1))

    times = times_from(last)
    if len(times) <= limit:
        return times
    # A schedule has at most one time per minute, so that some start leaves `limit` times.
    start = last.astimezone(UTC).replace(second=0, microsecond=0)
    minutes = range(int((now - start) / _MINUTE) + 1)
    later = bisect_left(
        minutes, True, key=lambda minute: len(times_from(start + minute * _MINUTE)) <= limit
    )
    return times_from(start + later * _MINUTE)
