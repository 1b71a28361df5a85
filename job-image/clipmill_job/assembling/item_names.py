"""The items that an output's segments play, and their names for messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from clipmill.protocol import OutputAssignment, Segment
from clipmill.protocol.result_record import PlayedItem


def item_names(outputs: Iterable[OutputAssignment]) -> dict[str, str]:
    """Return, by segment key, the items that are played in it: `clip a, clip b`."""
    names: dict[str, dict[str, None]] = {}
    for segment, items in played_items(outputs):
        own = names.setdefault(segment.key, {})
        own.update({f"{item.kind} {item.name}": None for item in items})
    return {key: ", ".join(own) for key, own in names.items()}


def played_items(
    outputs: Iterable[OutputAssignment],
) -> Iterator[tuple[Segment, list[PlayedItem]]]:
    """Yield the segments of outputs in order, each with its items in the order of its sources."""
    for output in outputs:
        start = 0
        for segment in output.segments:
            end = start + segment.frames
            yield segment, [item for item in output.record.items if _overlaps(item, start, end)]
            start = end


def _overlaps(item: PlayedItem, start: int, end: int) -> bool:
    return item.at < end and item.at + item.frames > start
