"""What all models share: the house form, and strings that carry their unit.

Durations and levels are written as in the rest of Kubernetes: `1m30s`, `500ms`, `-12dB`.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Model(BaseModel):
    """What all models share: frozen, camelCase on the wire, unknown fields refused."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, frozen=True, extra="forbid"
    )


DURATION_PATTERN = r"^([0-9]{1,4}h)?([0-9]{1,6}m)?([0-9]{1,8}(\.[0-9]{1,6})?s)?([0-9]{1,9}ms)?$"
"""Go's duration, without what nobody writes; for every engine: no look-ahead."""
_PARTS = re.compile(r"([0-9.]+)(ms|h|m|s)")
_UNIT_S = {"h": Fraction(3600), "m": Fraction(60), "s": Fraction(1), "ms": Fraction(1, 1000)}


def parse_duration(duration: str) -> Fraction:
    """`1m30s` -> 90, exactly. Raises ValueError naming the value and the form."""
    if not duration or len(duration) > 40 or not re.fullmatch(DURATION_PATTERN, duration):
        shown = duration if len(duration) <= 40 else duration[:40] + "..."
        raise ValueError(f"{shown!r} is not a duration: write it like 1m30s, 2.5s or 500ms")
    return sum((Fraction(n) * _UNIT_S[unit] for n, unit in _PARTS.findall(duration)), Fraction(0))


def _is_duration(text: str) -> str:
    parse_duration(text)
    return text


def parse_level(text: str) -> float:
    """`-14LUFS`, `-1dBTP`, `-12dB` -> the number. The field's pattern has checked the unit."""
    return float(re.sub(r"[A-Za-z]+$", "", text))


def _is_line(text: str) -> str:
    """PostgreSQL keeps no NUL, no command line takes one, and a log line is one line."""
    if any(ord(char) < 32 or ord(char) == 127 for char in text):
        raise ValueError("control characters are not taken")
    return text


def _as_line(text: str) -> str:
    return "".join(" " if ord(char) < 32 or ord(char) == 127 else char for char in text)


MAX_SAFE_INTEGER = 2**53 - 1
"""The largest whole number that every JSON reader keeps exactly; a database column takes it."""
Duration = Annotated[
    str,
    Field(max_length=40, json_schema_extra={"pattern": DURATION_PATTERN, "minLength": 1}),
    AfterValidator(_is_duration),
]
Name = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", max_length=63)]
ID_PATTERN = r"^[a-z]-[a-z0-9]{4,40}$"
Id = Annotated[str, Field(pattern=ID_PATTERN, max_length=42)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Line = Annotated[str, AfterValidator(_is_line)]
SanitizedLine = Annotated[str, AfterValidator(_as_line)]
"""What a program printed: kept as one line, never refused for its characters."""
Title = Annotated[str, Field(max_length=200), AfterValidator(_is_line)]
