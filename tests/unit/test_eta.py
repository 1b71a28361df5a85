"""Estimated end of a render, from its speed so far."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from clipmill.protocol import CompilationView
from clipmill.timeline.eta import estimate_end
from clipmill_cli.output.progress import eta_text

BEGAN = datetime(2026, 1, 1, 12, tzinfo=UTC)

CASES = [
    # seconds since rendering began, percent, estimated seconds left
    (10, 31, 680),  # one of 69 percent took 10 s
    (60, 64, 61.76),
    (600, 98, 8.82),
]


@pytest.mark.parametrize(("took_s", "percent", "left_s"), CASES)
def test_the_speed_is_assumed_constant(took_s: float, percent: int, left_s: float) -> None:
    """Rendering takes the progress from 30 to 99 percent."""
    reached = BEGAN + timedelta(seconds=took_s)
    end = estimate_end(BEGAN, reached, percent)
    assert end is not None
    assert (end - reached).total_seconds() == pytest.approx(left_s, abs=0.01)


@pytest.mark.parametrize(("took_s", "percent"), [(10, 12), (10, 30), (10, 99), (10, 100), (0, 50)])
def test_no_estimate(took_s: float, percent: int) -> None:
    """There is no estimate while fetching, at the last percent, or before any time has passed."""
    assert estimate_end(BEGAN, BEGAN + timedelta(seconds=took_s), percent) is None


def _view(eta: str | None) -> CompilationView:
    fields = {"id": "c-0123", "name": "a", "namespace": "default", "owner": "ada", "clips": []}
    return CompilationView.model_validate(
        {**fields, "generation": 1, "state": "Rendering", "eta": eta, "createdAt": ""}
    )


@pytest.fixture
def _in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("_in_tokyo")
def test_the_estimate_is_shown_in_local_time() -> None:
    """With the date if it is not today; nothing is shown without an estimate."""
    today = _view("2026-01-01T12:01:02Z")
    assert eta_text(today, BEGAN) == ", done at about 21:01:02"
    tomorrow = _view("2026-01-01T15:00:00Z")
    assert eta_text(tomorrow, BEGAN) == ", done at about 2026-01-02 00:00:00"
    assert eta_text(_view(None)) == ""
