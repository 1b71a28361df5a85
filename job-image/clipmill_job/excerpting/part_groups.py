"""Which stretches of a source to fetch for the spans that are played, and whether it pays. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# Parts with a smaller gap between them are fetched as one.
MERGE_GAP_US = 10_000_000
# Parts take about this much more, since they begin at a key frame or with a fragment.
OVERHEAD_US = 20_000_000
# An excerpt has this much more than what is played. The API asks for half of it.
LEAD_US = TAIL_US = 1_000_000
# What an excerpt must save at least, in addition to half of the source.
MIN_SAVED_BYTES = 16_000_000
MIN_SAVED_US = 120_000_000


@dataclass(frozen=True, slots=True)
class PartGroup:
    """A stretch of a source in microseconds, and the clip that it is fetched for."""

    clip_id: str
    start_us: int
    end_us: int


def group_parts(spans: Iterable[Mapping[str, Any]]) -> list[PartGroup]:
    """Return the spans in the order of the source, near ones merged."""
    groups: list[PartGroup] = []
    for span in sorted(spans, key=lambda span: span["start_us"]):
        start_us, end_us = int(span["start_us"]), int(span["end_us"])
        last = groups[-1] if groups else None
        if last and start_us <= last.end_us + MERGE_GAP_US:
            groups[-1] = PartGroup(last.clip_id, last.start_us, max(last.end_us, end_us))
        else:
            groups.append(PartGroup(span["clip_id"], start_us, end_us))
    return groups


def whole_reason(groups: Iterable[PartGroup], length_us: int, size_bytes: int | None) -> str | None:
    """Return why fetching excerpts does not pay; None if it does.

    Args:
        groups: The stretches to fetch.
        length_us: Length of the source.
        size_bytes: Size of the source; None if it is not known.
    """
    fetched_us = sum(min(g.end_us, length_us) - g.start_us + OVERHEAD_US for g in groups)
    saved_us = length_us - fetched_us
    if saved_us < fetched_us:
        return f"more than half of its {length_us / 1e6:.0f} s would be fetched"
    if size_bytes is None:
        return None if saved_us >= MIN_SAVED_US else "it is short"
    is_large = size_bytes * saved_us >= MIN_SAVED_BYTES * length_us
    return None if is_large else f"it has only {size_bytes} bytes"
