"""The limits of a key: bursts, refill, requests in flight, and a bounded memory."""

from __future__ import annotations

import pytest

from clipmill_api.http import key_limits
from clipmill_api.http.key_limit_middleware import cost_of
from clipmill_api.http.key_limits import COSTLY_TOKENS, UPLOAD_TOKENS, KeyLimits, RateLimit

LIMIT = RateLimit(per_second=10, in_flight=8)


class StoppedClock:
    """A clock that tests set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def enter(limits: KeyLimits, key: str = "k", cost: int = 1) -> bool:
    """Whether a request that ends at once is admitted."""
    if limits.enter(key, LIMIT, cost) is not None:
        return False
    limits.leave(key, cost)
    return True


def test_rate() -> None:
    """A full bucket passes as a burst, then one token per tenth of a second; keys are apart."""
    clock = StoppedClock()
    limits = KeyLimits(clock)
    assert sum(enter(limits) for _ in range(100)) == LIMIT.burst == 40
    refusal = limits.enter("k", LIMIT)
    assert refusal is not None
    assert refusal.headers == {
        "Retry-After": "1",
        "RateLimit-Policy": '"requests";q=40;w=4',
        "RateLimit": '"requests";r=0;t=1',
    }
    assert enter(limits, "other")
    clock.now += 0.5
    assert sum(enter(limits) for _ in range(100)) == 5
    clock.now += 3600
    assert (
        sum(enter(limits, cost=COSTLY_TOKENS) for _ in range(100)) == LIMIT.burst // COSTLY_TOKENS
    )


def test_requests_in_flight() -> None:
    """Eight at a time, of which one is costly; a job has four times as much."""
    limits = KeyLimits(StoppedClock())
    assert limits.enter("k", LIMIT, COSTLY_TOKENS) is None
    assert limits.enter("k", LIMIT, COSTLY_TOKENS) is not None
    admitted = [limits.enter("k", LIMIT) is None for _ in range(20)]
    assert sum(admitted) == 7
    limits.leave("k", COSTLY_TOKENS)
    assert limits.enter("k", LIMIT, COSTLY_TOKENS) is None
    assert LIMIT.of_job() == RateLimit(40, 32)


def test_idle_keys_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Random keys do not fill the memory, and those with requests in flight stay."""
    monkeypatch.setattr(key_limits, "MAX_KEYS", 3)
    limits = KeyLimits(StoppedClock())
    assert limits.enter("busy", LIMIT) is None
    assert all(enter(limits, f"random-{i}") for i in range(50))
    limits.leave("busy")


@pytest.mark.parametrize(
    ("method", "path", "tokens"),
    [
        ("GET", "/api/compilations", 1),
        ("GET", "/api/uploads/u-0000", 1),
        ("DELETE", "/api/uploads/u-0000", 1),
        ("POST", "/api/uploads", UPLOAD_TOKENS),
        ("PUT", "/api/uploads", UPLOAD_TOKENS),
        ("PATCH", "/api/uploads/u-0000", UPLOAD_TOKENS),
        ("POST", "/api/uploads/u-0000/complete", UPLOAD_TOKENS),
        ("POST", "/api/plan", COSTLY_TOKENS),
        ("GET", "/api/compilations/c-0000/plan", COSTLY_TOKENS),
        ("PUT", "/api/compilations/c-0000/spec", COSTLY_TOKENS),
        ("POST", "/api/media/m-0000/validate", COSTLY_TOKENS),
    ],
)
def test_cost(method: str, path: str, tokens: int) -> None:
    """What writes to the disk, plans or decodes takes more tokens than what reads rows."""
    assert cost_of({"method": method, "path": path}) == tokens
