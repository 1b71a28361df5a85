"""Names of the items that an output's segments play, for messages."""

from __future__ import annotations

from collections.abc import Iterable

from clipmill.protocol import OutputAssignment
from clipmill.protocol.result_record import PlayedItem


def item_names(outputs: Iterable[OutputAssignment]) -> dict[str, str]:
    """Return, by segment key, the items that are played in it: `clip a, clip b`."""
    names: dict[str, dict[str, None]] = {}
    for output in outputs:
        start = 0
        for segment in output.segments:
            end = start + segment.frames
            items = [item for item in output.record.items if _overlaps(item, start, end)]
            own = names.setdefault(segment.key, {})
            own.update({f"{item.kind} {item.name}": None for item in items})
            start = end
    return {key: ", ".join(own) for key, own in names.items()}


def _overlaps(item: PlayedItem, start: int, end: int) -> bool:
    return item.at < end and item.at + item.frames > start
