"""Read cron expressions and zones, and list the times that they describe.

Times of an expression are whole minutes. Daylight saving is that of Debian's cron, by `cronsim`: a
fixed time that a change skips runs right after it, and one that a change repeats runs once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

_ZONE_PATTERN = re.compile(r"[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}")
_PARTS = {
    "minute": "minutes are 0 to 59",
    "hour": "hours are 0 to 23",
    "day-of-month": "days are 1 to 31, L or LW, and must exist in one of the months",
    "month": "months are 1 to 12 or JAN to DEC",
    "day-of-week": "weekdays are 0 to 7 or SUN to SAT",
}
_FORMS = "write a number, a range 1-5, a list 1,3, a step */2 or *"
# A start for the question whether an expression has any time at all.
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def check_schedule(schedule: str) -> None:
    """Check that an expression has five fields, and a time in the next 50 years.

    Raises:
        ValueError: It does not. The message names the part, its value and the rule.
    """
    _check_syntax(schedule)
    if next(_raw_times(schedule, _EPOCH), None) is None:
        raise ValueError(f"{schedule!r} never occurs: no date meets all of its fields")


@lru_cache(maxsize=1024)
def _check_syntax(schedule: str) -> None:
    values = schedule.split()
    if len(values) != len(_PARTS):
        raise ValueError(
            f"{schedule!r} has {len(values)} fields: a cron expression has five, minute, hour, day"
            " of the month, month and day of the week, such as '0 18 * * FRI'"
        )
    try:
        CronSim(schedule, _EPOCH)
    except CronSimError as error:
        part = str(error).removeprefix("Bad ")
        value = values[list(_PARTS).index(part)]
        raise ValueError(
            f"{schedule!r}: {part} {value!r} is not possible: {_PARTS[part]}; {_FORMS}"
        ) from None


def time_zone(name: str) -> ZoneInfo:
    """Return a zone by its IANA name.

    Raises:
        ValueError: There is no such zone.
    """
    try:
        if _ZONE_PATTERN.fullmatch(name):
            return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise ValueError(f"{name!r} is no zone of the IANA database: write it like Europe/Berlin")


def times_after(schedule: str, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """Return the times of an expression after a time, in UTC, strictly increasing."""
    previous = after
    for local in _raw_times(schedule, after.astimezone(zone)):
        time = local.astimezone(UTC)
        # `cronsim` may return a time once more, or one of the first pass of a repeated hour.
        if time > previous:
            previous = time
            yield time


def _raw_times(schedule: str, after: datetime) -> Iterator[datetime]:
    return iter(CronSim(schedule, after))
