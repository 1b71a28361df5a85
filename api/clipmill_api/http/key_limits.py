"""Limits of each key: requests in flight, and a rate by a token bucket, in memory of a replica.

They keep one caller from using all request threads or the whole processor.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

# A bucket holds the tokens of so many seconds, so that short bursts pass.
BURST_S = 4
# Pods of one stage may share a key.
JOB_FACTOR = 4
# Tokens of a request that plans a timeline or decodes a file.
COSTLY_TOKENS = 10
# Tokens of a request that uploads: it writes rows and bytes to the disk. Others take one.
UPLOAD_TOKENS = 3
# Of the requests in flight, this share may be costly.
COSTLY_SHARE = 16
# Keys without requests in flight that are remembered.
MAX_KEYS = 10_000


@dataclass(frozen=True, slots=True)
class RateLimit:
    """What one key may do."""

    per_second: int
    in_flight: int

    @property
    def burst(self) -> int:
        """Tokens of a full bucket."""
        return self.per_second * BURST_S

    @property
    def costly_in_flight(self) -> int:
        """Costly requests in flight."""
        return max(1, self.in_flight // COSTLY_SHARE)

    def of_job(self) -> RateLimit:
        """Return the limit of a job's key."""
        return RateLimit(self.per_second * JOB_FACTOR, self.in_flight * JOB_FACTOR)


@dataclass(slots=True)
class _Usage:
    """What one key uses; `tokens` is as of `at`."""

    tokens: float
    at: float
    in_flight: int = 0
    costly: int = 0
    is_proven: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that exceeds a limit of its key."""

    limit: RateLimit
    rule: str
    remaining: int
    retry_after_s: float

    @property
    def headers(self) -> dict[str, str]:
        """Retry-After and the RateLimit fields of the IETF draft."""
        retry_after = max(1, math.ceil(self.retry_after_s))
        return {
            "Retry-After": str(retry_after),
            **rate_limit_headers(self.limit, self.remaining, retry_after),
        }


def rate_limit_headers(limit: RateLimit, remaining: int, reset_s: int) -> dict[str, str]:
    """Return the RateLimit fields of the IETF draft: what is left, and when there is more."""
    return {
        "RateLimit-Policy": f'"requests";q={limit.burst};w={BURST_S}',
        "RateLimit": f'"requests";r={remaining};t={reset_s}',
    }


class KeyLimits:
    """Count the requests of each key. Used by the event loop only, so it needs no lock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._usages: OrderedDict[str, _Usage] = OrderedDict()

    def enter(self, key: str, limit: RateLimit, cost: int = 1) -> Refusal | None:
        """Count a request that begins, or return why it is refused.

        Args:
            key: Name under which the requests are counted.
            limit: What they may use.
            cost: Tokens of the request.
        """
        usage, is_costly = self._refilled(key, limit), cost >= COSTLY_TOKENS
        rule, wait_s = "", 1.0
        if usage.in_flight >= limit.in_flight:
            rule = f"at most {limit.in_flight} requests at a time"
        elif is_costly and usage.costly >= limit.costly_in_flight:
            rule = f"at most {limit.costly_in_flight} plans or validations at a time"
        elif usage.tokens < min(cost, limit.burst):
            rule = f"at most {limit.per_second} requests per second"
            wait_s = (cost - usage.tokens) / limit.per_second
        if rule:
            return Refusal(limit, rule, max(0, int(usage.tokens)), wait_s)
        usage.tokens -= cost
        usage.in_flight += 1
        usage.costly += is_costly
        return None

    def leave(self, key: str, cost: int = 1) -> None:
        """Count the end of a request that was admitted at this cost."""
        usage = self._usages[key]
        usage.in_flight -= 1
        usage.costly -= cost >= COSTLY_TOKENS

    def headers(self, key: str, limit: RateLimit) -> dict[str, str]:
        """Return the RateLimit fields of a request that was admitted; `t` fills the bucket."""
        tokens = self._usages[key].tokens
        reset_s = math.ceil((limit.burst - tokens) / limit.per_second)
        return rate_limit_headers(limit, int(tokens), reset_s)

    def is_proven(self, key: str) -> bool:
        """Return whether a reply has shown that the key is valid, as far as it is remembered."""
        return self._usages[key].is_proven

    def note_proven(self, key: str) -> None:
        """Remember that the key is valid."""
        self._usages[key].is_proven = True

    def _refilled(self, key: str, limit: RateLimit) -> _Usage:
        now = self._clock()
        usage = self._usages.get(key)
        if usage is None:
            self._forget_idle()
            usage = self._usages[key] = _Usage(limit.burst, now)
        self._usages.move_to_end(key)
        refilled = usage.tokens + (now - usage.at) * limit.per_second
        usage.tokens, usage.at = min(limit.burst, refilled), now
        return usage

    def _forget_idle(self) -> None:
        """Make room for a key: drop the one that was idle longest."""
        if len(self._usages) < MAX_KEYS:
            return
        idle = next((key for key, usage in self._usages.items() if not usage.in_flight), None)
        if idle is not None:
            del self._usages[idle]
