"""Define what all models share: strictness, and strings that carry their unit.

Durations and levels are written as elsewhere in Kubernetes: `1m30s`, `500ms`, `-12dB`. Durations
are also read as people type them, `1:30` or `1.5` seconds, and kept in the first form.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel


class Model(BaseModel):
    """Base of all models: frozen, camelCase in JSON, unknown fields are refused."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, frozen=True, extra="forbid"
    )


# Go's duration without signs and microseconds. No look-ahead, since the API server has none.
DURATION_PATTERN = r"^([0-9]{1,4}h)?([0-9]{1,6}m)?([0-9]{1,8}(\.[0-9]{1,6})?s)?([0-9]{1,9}ms)?$"
# The same, h:mm:ss or m:ss, and plain seconds.
_SECONDS = r"[0-9]{1,8}(\.[0-9]{1,6})?"
_CLOCK = r"([0-9]{1,4}:[0-5]?[0-9]|[0-9]{1,6}):[0-5]?[0-9](\.[0-9]{1,6})?"
TYPED_DURATION_PATTERN = f"{DURATION_PATTERN}|^{_CLOCK}$|^{_SECONDS}$"
_DURATION_PARTS = re.compile(r"([0-9.]+)(ms|h|m|s)")
_UNIT_S = {"h": Fraction(3600), "m": Fraction(60), "s": Fraction(1), "ms": Fraction(1, 1000)}


# A spec repeats the same few durations for each clip and output.
@lru_cache(maxsize=4096)
def parse_duration(duration: str) -> Fraction:
    """Return a duration such as `1m30s` in seconds, exactly.

    Raises:
        ValueError: The text is not a duration; the message holds the text and the format.
    """
    if not duration or len(duration) > 40 or not re.fullmatch(DURATION_PATTERN, duration):
        shown = duration if len(duration) <= 40 else duration[:40] + "..."
        raise ValueError(
            f"{shown!r} is not a duration: write it like 1m30s, 1:30, 2.5s, 500ms or 90 (seconds)"
        )
    parts = _DURATION_PARTS.findall(duration)
    return sum((Fraction(number) * _UNIT_S[unit] for number, unit in parts), Fraction(0))


def canonical_duration(typed: object) -> object:
    """Return a duration as `parse_duration` reads it: `1:30` as `1m30s`, `1.5` as `1.5s`.

    Everything else is returned as it is.
    """
    if isinstance(typed, bool) or not isinstance(typed, int | float | str):
        return typed
    if isinstance(typed, float):
        # No duration is finer than a microsecond.
        return f"{typed:.6f}".rstrip("0").rstrip(".") + "s"
    text = str(typed)
    if re.fullmatch(_SECONDS, text):
        return f"{text}s"
    if re.fullmatch(_CLOCK, text):
        *hours, minutes, seconds = text.split(":")
        return "".join((*(f"{h}h" for h in hours), f"{minutes}m", f"{seconds}s"))
    return text


def _is_duration(text: str) -> str:
    parse_duration(text)
    return text


@lru_cache(maxsize=1024)
def parse_level(text: str) -> float:
    """Return the number of a level such as `-14LUFS`, `-1dBTP` or `-12dB`.

    The unit is not checked here, since the pattern of each field does that.
    """
    return float(re.sub(r"[A-Za-z]+$", "", text))


def _is_control(char: str) -> bool:
    return ord(char) < 32 or ord(char) == 127


def _refuse_control_characters(text: str) -> str:
    # PostgreSQL stores no NUL, no command line accepts one, and a log entry is one line.
    if any(_is_control(char) for char in text):
        raise ValueError("control characters are not allowed")
    return text


def _replace_control_characters(text: str) -> str:
    return "".join(" " if _is_control(char) else char for char in text)


def _shorten(text: object) -> object:
    return text[:MAX_TITLE_CHARS] if isinstance(text, str) else text


MAX_TITLE_CHARS = 200
# The largest whole number that every JSON reader keeps exactly and a bigint column stores.
MAX_SAFE_INTEGER = 2**53 - 1
Duration = Annotated[
    str,
    BeforeValidator(canonical_duration),
    Field(max_length=40),
    AfterValidator(_is_duration),
    WithJsonSchema(
        {
            "anyOf": [
                {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 40,
                    "pattern": TYPED_DURATION_PATTERN,
                },
                {"type": "number", "minimum": 0},
            ]
        }
    ),
]
Name = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", max_length=63)]
ID_PATTERN = r"^[a-z]-[a-z0-9]{4,40}$"
Id = Annotated[str, Field(pattern=ID_PATTERN, max_length=42)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Line = Annotated[str, AfterValidator(_refuse_control_characters)]
# Output of a program: its control characters become spaces instead of an error.
SanitizedLine = Annotated[str, AfterValidator(_replace_control_characters)]
# Text of a page that is shown as a title: cut instead of refused.
SourceText = Annotated[SanitizedLine, BeforeValidator(_shorten), Field(max_length=MAX_TITLE_CHARS)]
Title = Annotated[
    str, Field(max_length=MAX_TITLE_CHARS), AfterValidator(_refuse_control_characters)
]
