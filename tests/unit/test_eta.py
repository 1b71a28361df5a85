"""When a render will have ended, from how far it came in how long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from clipmill.protocol import CompilationView
from clipmill.timeline.eta import estimate_end
from clipmill_cli.output.progress import eta_text

BEGAN = datetime(2026, 1, 1, 12, tzinfo=UTC)

CASES = [
    # seconds since it began, percent, seconds from then on
    (10, 31, 680),  # one part of 69 took 10 s
    (60, 64, 61.76),
    (600, 98, 8.82),
]


@pytest.mark.parametrize(("took_s", "percent", "left_s"), CASES)
def test_it_goes_on_as_fast_as_it_went(took_s: float, percent: int, left_s: float) -> None:
    """Rendering is from 30 percent to 99; the rest takes its share of the time so far."""
    reached = BEGAN + timedelta(seconds=took_s)
    found = estimate_end(BEGAN, reached, percent)
    assert found is not None
    assert (found - reached).total_seconds() == pytest.approx(left_s, abs=0.01)


@pytest.mark.parametrize(("took_s", "percent"), [(10, 12), (10, 30), (10, 99), (10, 100), (0, 50)])
def test_nothing_is_guessed_from_nothing(took_s: float, percent: int) -> None:
    """While fetching, at the last percent, and from no time at all."""
    assert estimate_end(BEGAN, BEGAN + timedelta(seconds=took_s), percent) is None


def _view(eta: str | None) -> CompilationView:
    fields = {"id": "c-0123", "name": "a", "namespace": "default", "owner": "ada", "clips": []}
    return CompilationView.model_validate(
        {**fields, "generation": 1, "state": "Rendering", "eta": eta, "createdAt": ""}
    )


def test_the_estimate_is_shown_as_a_time_of_day() -> None:
    """Nothing is shown without an estimate."""
    assert "12:01:02 UTC" in eta_text(_view("2026-01-01T12:01:02Z"))
    assert eta_text(_view(None)) == ""
