"""The timeline falls into pieces, each named by a hash of all that decides pixels and samples."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from clipmill.protocol import Cut, Entry, Piece, Profile
from clipmill.spec import Curve, TransitionType
from clipmill.timeline.build import Timeline, part

RENDERER = 3
"""Raised whenever the same order would give other pixels or samples, so that old pieces go."""


def pieces(timeline: Timeline) -> tuple[Piece, ...]:
    """Bodies and seams in order; their frames add up to the timeline's."""
    found: list[Piece] = []
    overlaps = [entry.overlap for entry in timeline.entries]
    for i, cut in enumerate(timeline.cuts):
        head, tail = overlaps[i], overlaps[i + 1] if i + 1 < len(overlaps) else 0
        if head:
            before = timeline.cuts[i - 1]
            end_of_before = part(before, offset=before.frames - head, frames=head)
            pair = [end_of_before, part(cut, offset=0, frames=head)]
            found.append(_piece(timeline, pair, timeline.entries[i]))
        if cut.frames > head + tail:
            body = part(cut, offset=head, frames=cut.frames - head - tail)
            found.append(_piece(timeline, [body]))
    return tuple(found)


def _piece(timeline: Timeline, cuts: list[Cut], entered: Entry | None = None) -> Piece:
    return named(
        Piece(
            key="0" * 64,
            cuts=cuts,
            type=entered.enters if entered else TransitionType.NONE,
            curve=entered.curve if entered else Curve.EQUAL_POWER,
            profile=timeline.profile,
            watermark=timeline.watermark,
        )
    )


def named(piece: Piece) -> Piece:
    """The piece under the key of its content."""
    content = {"renderer": RENDERER, **piece.model_dump(mode="json", exclude={"key"})}
    canonical = json.dumps(_nameless(content), sort_keys=True, separators=(",", ":"))
    return piece.model_copy(update={"key": hashlib.sha256(canonical.encode()).hexdigest()})


def reformed(piece: Piece, form: Profile) -> Piece:
    """The same piece in another form, under its own key."""
    return named(piece.model_copy(update={"profile": form}))


def _nameless(content: Any) -> Any:
    """Without ids of media rows: the same bytes under another id give the same pixels."""
    if isinstance(content, dict):
        return {name: _nameless(part) for name, part in content.items() if name != "media_id"}
    return [_nameless(part) for part in content] if isinstance(content, list) else content
