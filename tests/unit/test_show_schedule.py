"""Scheduled times of shows: as CronJob starts them, through daylight saving and clock jumps."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from clipmill.shows.episode_name import episode_name
from clipmill.shows.schedule import MAX_MISSED, DueRuns, due, next_time
from clipmill.shows.show_spec import ShowSpec

FEED = {"feed": {"url": "https://example.org/clips.xml"}}
FRIDAYS = "0 18 * * FRI"
ZONES = (
    "Etc/UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "America/St_Johns",
    "Asia/Kathmandu",
)
SCHEDULES = (
    FRIDAYS,
    "30 2 * * *",
    "0,30 2 * * *",
    "0 0 * * *",
    "*/20 1,2 * * *",
    "0 * * * *",
    "15 */2 * * *",
    "* * * * *",
    "0 3 L * *",
    "5 1 * 3,10 SUN",
)
HOUR = timedelta(hours=1)
TIMES = st.datetimes(
    datetime(2026, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC)
) | st.builds(
    # Around the changes of the zones above.
    lambda day, minutes: day + timedelta(minutes=minutes),
    st.sampled_from(
        [
            datetime(2026, month, day, tzinfo=UTC)
            for month, day in (
                (3, 8),
                (3, 29),
                (4, 4),
                (4, 24),
                (10, 3),
                (10, 25),
                (10, 29),
                (11, 1),
            )
        ]
    ),
    st.integers(-600, 1200),
)


def show(schedule: str = FRIDAYS, zone: str = "Etc/UTC", **fields: object) -> ShowSpec:
    """Return the spec of a show."""
    return ShowSpec.model_validate(
        {"schedule": schedule, "timeZone": zone, "sources": [FEED], **fields}
    )


def at(text: str) -> datetime:
    """Return a time of UTC, of a text such as `2026-10-25 01:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def refusals(**fields: object) -> list[tuple[str, str]]:
    """Return the fields and messages of a spec that is refused."""
    with pytest.raises(ValidationError) as caught:
        ShowSpec.model_validate({"schedule": FRIDAYS, "sources": [FEED], **fields})
    return [(".".join(map(str, e["loc"])), e["msg"]) for e in caught.value.errors()]


@pytest.mark.parametrize(
    ("schedule", "value", "rule"),
    [
        ("0 0 30 2 *", "day-of-month '30'", "exist in one of the months"),
        ("0 0 31 2,4 *", "day-of-month '31'", "exist in one of the months"),
        ("0 0 */40 2 SUN#3", "'0 0 */40 2 SUN#3'", "never occurs"),
        ("61 * * * *", "minute '61'", "0 to 59"),
        ("0 24 * * *", "hour '24'", "0 to 23"),
        ("0 0 1 FOO *", "month 'FOO'", "JAN to DEC"),
        ("0 0 * * 9", "day-of-week '9'", "SUN to SAT"),
        ("0 0 * * MON#6", "day-of-week 'MON#6'", "SUN to SAT"),
        ("@weekly", "'@weekly' has 1 fields", "five"),
        ("0 0 18 * * FRI", "has 6 fields", "five"),
        (" ", "' ' has 0 fields", "five"),
        ("TZ=Europe/Berlin 0 18 * * FRI", "has 6 fields", "five"),
    ],
)
def test_an_impossible_schedule_is_refused(schedule: str, value: str, rule: str) -> None:
    """In one sentence with field, value and rule."""
    ((field, message),) = refusals(schedule=schedule)
    assert field == "schedule"
    assert value in message
    assert rule in message


@settings(max_examples=200)
@given(st.text(st.sampled_from("0123456789*/,-#LW MONFRI?@\u00b2\u0661."), min_size=1, max_size=30))
def test_any_text_is_a_schedule_or_refused(schedule: str) -> None:
    """Nothing but a refusal of the field is raised."""
    document = {"schedule": schedule, "sources": [FEED]}
    try:
        ShowSpec.model_validate(document)
    except ValidationError:
        assert {field for field, _ in refusals(schedule=schedule)} == {"schedule"}
        return
    assert next_time(show(schedule), at("2026-01-01")) > at("2026-01-01")


@pytest.mark.parametrize(
    "zone",
    ["Europe", "Berlin", "Local", "localtime", "../etc/passwd", "/etc/localtime", "europe/berlin",
     "Europe/Berlin ", "posix/Europe/Berlin", "CEST+2", "Mars/Olympus"],
)  # fmt: skip
def test_an_unknown_zone_is_refused(zone: str) -> None:
    """In one sentence with field, value and rule."""
    ((field, message),) = refusals(timeZone=zone)
    assert field == "timeZone"
    assert repr(zone) in message
    assert "IANA" in message


@pytest.mark.parametrize(
    ("schedule", "zone", "after", "local"),
    [
        # A fixed time that the change skips runs right after it, once.
        ("30 2 * * *", "Europe/Berlin", "2026-03-29 00:00", "2026-03-29 03:00 +0200"),
        ("0,30 2 * * *", "Europe/Berlin", "2026-03-29 01:00", "2026-03-30 02:00 +0200"),
        ("30 2 * * *", "America/New_York", "2026-03-08 06:00", "2026-03-08 03:00 -0400"),
        # A fixed time that the change repeats runs in the first pass only.
        ("30 2 * * *", "Europe/Berlin", "2026-10-25 00:00", "2026-10-25 02:30 +0200"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-25 00:30", "2026-10-26 02:30 +0100"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-25 01:10", "2026-10-26 02:30 +0100"),
        ("45 1 * * *", "Australia/Lord_Howe", "2026-04-04 14:50", "2026-04-06 01:45 +1030"),
        # An interval follows the clock.
        ("0 * * * *", "Europe/Berlin", "2026-10-25 00:00", "2026-10-25 02:00 +0100"),
        ("0 * * * *", "Europe/Berlin", "2026-03-29 00:00", "2026-03-29 03:00 +0200"),
        # Midnight that does not exist.
        ("0 0 * * *", "Africa/Cairo", "2026-04-23 20:00", "2026-04-24 01:00 +0300"),
    ],
)
def test_daylight_saving(schedule: str, zone: str, after: str, local: str) -> None:
    """As Debian's cron does it."""
    time = next_time(show(schedule, zone), at(after)).astimezone(ZoneInfo(zone))
    assert f"{time:%Y-%m-%d %H:%M %z}" == local


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(SCHEDULES), st.sampled_from(ZONES), TIMES, TIMES)
def test_times_do_not_depend_on_the_start(
    schedule: str, zone: str, one: datetime, other: datetime
) -> None:
    """Whoever asks, and whenever: the next time is later, and the same for all until it comes."""
    spec = show(schedule, zone)
    start, between = min(one, other), max(one, other)
    time = next_time(spec, start)
    assert time > start
    if time > between:
        assert next_time(spec, between) == time
    else:
        assert next_time(spec, time - timedelta(minutes=1)) == time


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(SCHEDULES), st.sampled_from(ZONES), TIMES)
def test_names_of_episodes_are_distinct(schedule: str, zone: str, start: datetime) -> None:
    """Each scheduled time has a name of its own, although an hour is repeated."""
    spec, times = show(schedule, zone), [start]
    for _ in range(8):
        times.append(next_time(spec, times[-1]))
    names = [episode_name("a-show", time, zone) for time in times[1:]]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"a-show-\d{8}-\d{4}(-2)?", name) for name in names)


@given(st.from_regex(r"\A[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z"), TIMES)
def test_names_of_episodes_are_names_of_resources(name: str, time: datetime) -> None:
    """A long name of a show is cut."""
    episode = episode_name(name, time, "Europe/Berlin")
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", episode)
    assert episode == episode_name(name, time.astimezone(ZoneInfo("Asia/Tokyo")), "Europe/Berlin")


def test_long_names_of_shows_stay_distinct() -> None:
    """Two shows whose names start alike have different episodes."""
    time = at("2026-10-25 18:00")
    one, other = (episode_name("x" * 60 + end, time, "Etc/UTC") for end in ("a", "b"))
    assert one != other
    assert len(one) == len(other) == 63


def test_nothing_is_due_before_the_time() -> None:
    """And the time itself is due."""
    spec, friday = show(), at("2026-11-27 18:00")
    assert due(spec, friday - HOUR, friday - timedelta(seconds=1)) == DueRuns()
    assert due(spec, friday - HOUR, friday) == DueRuns(friday)
    assert due(spec, friday, friday + HOUR) == DueRuns()


def test_the_newest_of_missed_times_starts() -> None:
    """The controller was down for three weeks."""
    spec, last = show(), at("2026-11-06 18:00")
    week = timedelta(days=7)
    expected = DueRuns(last + 3 * week, missed=(last + week, last + 2 * week))
    assert due(spec, last, last + 3 * week + HOUR) == expected


def test_a_time_beyond_the_deadline_is_missed() -> None:
    """The deadline itself is in time."""
    spec, last = show(startingDeadlineSeconds=3600), at("2026-11-20 18:00")
    friday = last + timedelta(days=7)
    assert due(spec, last, friday + HOUR) == DueRuns(friday)
    assert due(spec, last, friday + HOUR + timedelta(seconds=1)) == DueRuns(missed=(friday,))


def test_missed_times_are_bounded() -> None:
    """A show of every minute, and a controller that was down for ten years."""
    spec, now = show("* * * * *"), at("2036-11-20 18:00")
    runs = due(spec, at("2026-11-20 18:00"), now + timedelta(seconds=7))
    minute = timedelta(minutes=1)
    assert runs.run_at == now
    assert runs.missed == tuple(now - n * minute for n in range(MAX_MISSED, 0, -1))


def test_a_suspended_show_has_nothing_due() -> None:
    """Resumed, the newest time of its pause starts if the deadline allows it, as with CronJob."""
    last, now = at("2026-11-06 18:00"), at("2026-11-27 18:30")
    assert due(show(suspend=True), last, now) == DueRuns()
    assert due(show(), last, now, resumed=now) == DueRuns(at("2026-11-27 18:00"))
    late = show(startingDeadlineSeconds=600)
    assert due(late, last, now, resumed=now) == DueRuns()


def test_a_clock_that_jumps_starts_nothing_twice() -> None:
    """Back by a day and ahead again; ahead by a month and back."""
    spec = show("0 * * * *")
    now, starts, last = at("2026-11-20 18:05"), [], at("2026-11-20 17:00")
    for jump in (0, -24, 25, -1, 1, 24 * 30, -24 * 30, 24 * 31):
        now += jump * HOUR
        runs = due(spec, last, now)
        if runs.run_at:
            starts.append(runs.run_at)
            last = runs.run_at
    assert all(one < other for one, other in pairwise(starts))
    assert [f"{start:%m-%d %H}" for start in starts] == [
        "11-20 18",
        "11-20 19",
        "12-20 19",
        "12-21 19",
    ]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
def test_forty_times_over_both_changes_have_one_outcome_each(zone: str) -> None:
    """Played hour by hour, with an outage of three weeks and a clock that jumps back at times."""
    spec = show("45 1 * * SUN", zone, startingDeadlineSeconds=12 * 3600)
    first = at("2026-02-14 00:00")
    expected = [next_time(spec, first)]
    while len(expected) < 40:
        expected.append(next_time(spec, expected[-1]))
    outcomes: list[tuple[datetime, str]] = []
    last = first
    for hours in range(int((expected[-1] - first) / HOUR) + 2):
        if 2000 < hours < 2000 + 3 * 7 * 24:
            continue
        now = first + hours * HOUR - (30 * HOUR if hours % 50 < 5 else 0 * HOUR)
        runs = due(spec, last, now)
        outcomes += [(time, "missed") for time in runs.missed]
        outcomes += [(runs.run_at, "started")] if runs.run_at else []
        last = max([last, *(time for time, _ in outcomes)])
    assert [time for time, _ in outcomes] == expected
    assert [outcome for _, outcome in outcomes].count("missed") == 3
    local = [time.astimezone(ZoneInfo(zone)) for time in expected]
    assert len({time.utcoffset() for time in local}) == 2
    assert {f"{time:%H:%M}" for time in local} <= {"01:45", "02:00", "02:30"}


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(SCHEDULES),
    st.sampled_from(ZONES),
    TIMES,
    st.lists(st.integers(-3000, 9000), max_size=12),
)
def test_every_time_has_one_outcome(
    schedule: str, zone: str, start: datetime, jumps: list[int]
) -> None:
    """However the clock jumps: started or missed, in order, never both."""
    spec, now, last = show(schedule, zone, startingDeadlineSeconds=3600), start, start
    outcomes: list[datetime] = []
    for jump in jumps:
        now += timedelta(minutes=jump)
        runs = due(spec, last, now)
        times = [*runs.missed, *([runs.run_at] if runs.run_at else [])]
        assert all(last < time <= now for time in times)
        assert runs.run_at is None or now - runs.run_at <= HOUR
        outcomes += times
        last = max(last, *times) if times else last
    assert outcomes == sorted(set(outcomes))
