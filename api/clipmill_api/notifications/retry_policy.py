"""When a notification is sent again, and when a webhook is disabled. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

LIFETIME = timedelta(days=1)
FIRST_DELAY_S = 5.0
MAX_DELAY_S = 4 * 3600.0
GONE_STATUS = 410
# Responses 410 in a row, and days without a success, after which a webhook is disabled.
MAX_GONE = 3
MAX_FAILING = timedelta(days=3)


def next_attempt(
    now: datetime, expires_at: datetime, *, attempts: int, random: float
) -> datetime | None:
    """Return when to send again after some attempts, or None once a day has passed.

    The delay grows fourfold, from 5 s up to 4 h, and is varied by a half, so that receivers that
    come back are not met by all notifications at once.

    Args:
        now: The current time.
        expires_at: When the notification is given up.
        attempts: Attempts so far, at least 1.
        random: Number from 0 to 1.
    """
    delay_s = min(FIRST_DELAY_S * 4.0 ** min(attempts - 1, 10), MAX_DELAY_S)
    at = now + timedelta(seconds=delay_s * (0.5 + random))
    return at if at < expires_at else None


def disabled_reason(gone_count: int, failing_since: datetime, now: datetime) -> str | None:
    """Return why a webhook is disabled after a failure, or None if it is not."""
    if gone_count >= MAX_GONE:
        return f"the receiver answered {GONE_STATUS} Gone {gone_count} times in a row"
    if now - failing_since >= MAX_FAILING:
        return f"no delivery succeeded for {MAX_FAILING.days} days"
    return None
