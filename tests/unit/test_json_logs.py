"""JSON logs: one line a record, named values as fields, and no field from a value."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import pytest

from clipmill.json_logs import JsonFormatter

CASES: dict[str, tuple[str, tuple[Any, ...], dict[str, Any]]] = {
    "ids": (
        "task claimed compilation=%s generation=%d stage=%s index=%d",
        ("c-1", 2, "render", 3),
        {"compilation": "c-1", "generation": 2, "stage": "render", "index": 3},
    ),
    "two values of one name": (
        "action key=%s/%s uid=%s %s",
        ("blue", "demo", "u-1", "CreateJob fetch"),
        {"key": "blue/demo", "uid": "u-1"},
    ),
    "precision": ("clock ahead_s=%.1f", (0.25,), {"ahead_s": 0.25}),
    "a value that looks like a field": (
        "failed error=%s",
        ("owner=eve level=DEBUG\nline",),
        {"error": "owner=eve level=DEBUG\nline"},
    ),
    "a name of our own": ("odd level=%s time=%s", ("x", "y"), {}),
    "no values": ("sweep failed owner=%s", (), {}),
}


def record(message: str, values: tuple[Any, ...], **more: Any) -> logging.LogRecord:
    """Return a record of the logger `clipmill_api.x`."""
    named = {"msg": message, "args": values, "levelno": 30, "levelname": "WARNING"}
    return logging.makeLogRecord({"name": "clipmill_api.x", "created": 0.5, **named, **more})


@pytest.mark.parametrize("name", CASES)
def test_named_values_are_fields(name: str) -> None:
    """Numbers stay numbers; nothing replaces time, level, logger and message."""
    message, values, fields = CASES[name]
    line = JsonFormatter().format(record(message, values))
    assert "\n" not in line
    assert json.loads(line) == {
        **fields,
        "time": "1970-01-01T00:00:00.500+00:00",
        "level": "WARNING",
        "logger": "clipmill_api.x",
        "message": message % values if values else message,
    }


def test_a_traceback_is_a_field() -> None:
    """With its line breaks escaped."""
    try:
        raise ValueError("broken")
    except ValueError:
        line = JsonFormatter().format(record("failed id=%s", ("n-1",), exc_info=sys.exc_info()))
    assert "\n" not in line
    entry = json.loads(line)
    assert entry["id"] == "n-1"
    assert entry["traceback"].endswith("ValueError: broken")
