"""The place of a span in its trace, as the header `traceparent` of W3C Trace Context names it."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import Self

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?")


@dataclass(frozen=True, slots=True)
class TraceContext:
    """Ids of a trace and of a span in it, in hexadecimal."""

    trace_id: str
    span_id: str

    @classmethod
    def parse(cls, traceparent: str | None) -> Self | None:
        """Return the context of a header, or None if there is none or it is malformed."""
        ids = _TRACEPARENT.fullmatch(traceparent or "")
        if ids is None or not int(ids[1], 16) or not int(ids[2], 16):
            return None
        return cls(ids[1], ids[2])

    @classmethod
    def new(cls) -> Self:
        """Return the first span of a new trace."""
        return cls(secrets.token_hex(16), secrets.token_hex(8))

    def child(self) -> Self:
        """Return a new span of the same trace."""
        return type(self)(self.trace_id, secrets.token_hex(8))

    def __str__(self) -> str:
        """Return the header. Every trace is sampled."""
        return f"00-{self.trace_id}-{self.span_id}-01"


def trace_ids(traceparent: str | None) -> tuple[str, ...]:
    """Return the id of a trace for a log line, or none."""
    context = TraceContext.parse(traceparent)
    return (context.trace_id,) if context else ()
