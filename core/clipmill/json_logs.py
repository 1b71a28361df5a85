"""Log records as lines of JSON. API and operator write their messages as `event name=value ...`.

In: log records. Out: one JSON object per record, in which each `name=%s` of the message is a field.
"""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any, Literal

LogFormat = Literal["text", "json"]
TEXT_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
# A placeholder or several that `/` joins, with the name before it: `key=%s/%s`.
_PLACEHOLDERS = re.compile(r"(?:(\w+)=)?(%[-+#0-9.]*[a-zA-Z](?:/%s)*)")


class JsonFormatter(logging.Formatter):
    """Format a record as `{"time", "level", "logger", "message", ...fields}`.

    Fields are found in the text of the program, never in values, so that no value adds a field.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the JSON of a record, without line breaks."""
        at = datetime.fromtimestamp(record.created, UTC)
        entry: dict[str, Any] = {
            **message_fields(record),
            "time": at.isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


def message_fields(record: logging.LogRecord) -> dict[str, Any]:
    """Return the named values of a record's message: numbers as such, anything else as text."""
    fields: dict[str, Any] = {}
    values = record.args if isinstance(record.args, tuple) else ()
    for name, text in _PLACEHOLDERS.findall(record.msg if values else ""):
        count = text.count("%")
        own, values = values[:count], values[count:]
        if name and len(own) == count:
            is_number = count == 1 and isinstance(own[0], int | float)
            fields[name] = own[0] if is_number else text % own
    return fields


def log_handler(log_format: LogFormat) -> logging.Handler:
    """Return a handler that writes records to standard error in this format."""
    handler = logging.StreamHandler()
    formatter = JsonFormatter() if log_format == "json" else logging.Formatter(TEXT_FORMAT)
    handler.setFormatter(formatter)
    return handler
