"""The timeline falls into pieces, each named by a hash of all that decides pixels and samples."""

from __future__ import annotations

import hashlib
import json

from clipmill.contract import Curve, Cut, Entry, Piece, TransitionType
from clipmill.timeline import Timeline, part

RENDERER = 1
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
    kind = entered.enters if entered else TransitionType.NONE
    curve = entered.curve if entered else Curve.EQUAL_POWER
    # The media row's id does not decide a pixel: the same bytes under another id are one piece.
    content = {
        "renderer": RENDERER,
        "cuts": [cut.model_dump(mode="json", exclude={"media_id"}) for cut in cuts],
        "type": kind,
        "curve": curve,
        "fit": timeline.fit,
        "profile": timeline.profile.model_dump(mode="json"),
    }
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    key = hashlib.sha256(canonical.encode()).hexdigest()
    return Piece(
        key=key, cuts=cuts, type=kind, curve=curve, fit=timeline.fit, profile=timeline.profile
    )
