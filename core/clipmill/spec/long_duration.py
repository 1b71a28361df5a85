"""Durations of hours and days, such as `7d` or `1d12h`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

LONG_DURATION_PATTERN = r"^([0-9]{1,4}d)?([0-9]{1,5}h)?([0-9]{1,6}m)?$"
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}


def parse_long_duration(text: str) -> timedelta:
    """Return a duration such as `7d`, `36h` or `1d12h`.

    Raises:
        ValueError: The text is not such a duration, or it is zero.
    """
    if not text or len(text) > 20 or not re.fullmatch(LONG_DURATION_PATTERN, text):
        raise ValueError(f"{text[:40]!r} is not a duration: write it like 7d, 36h or 1d12h")
    parts = {_UNITS[unit]: int(number) for number, unit in re.findall(r"([0-9]+)([dhm])", text)}
    duration = timedelta(**parts)
    if not duration:
        raise ValueError(f"{text!r} is zero: write a duration such as 7d")
    return duration


def _is_long_duration(text: str) -> str:
    parse_long_duration(text)
    return text


LongDuration = Annotated[
    str,
    Field(min_length=2, max_length=20, pattern=LONG_DURATION_PATTERN),
    AfterValidator(_is_long_duration),
]
