"""Arrange what plays in which order: intro, clips, outro, and what plays between them.

The order is intro, clip, transition clip, clip, ..., outro, with bumpers by their placement.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from clipmill.protocol.result_record import ItemKind
from clipmill.spec import BumperPlacement, CompilationSpec, TransitionOrder, TransitionPlacement


class ArrangedItem(NamedTuple):
    """An asset by its media id, or a clip by its position in the spec."""

    kind: ItemKind
    media_id: str = ""
    clip: int = -1


def arrange(spec: CompilationSpec, playing: Sequence[int]) -> list[ArrangedItem]:
    """Return all items in order. `playing` holds the positions of the clips not skipped."""
    items = [ArrangedItem("clip", clip=position) for position in playing]
    if spec.intro:
        items.insert(0, ArrangedItem("intro", spec.intro.media_id))
    if spec.outro:
        items.append(ArrangedItem("outro", spec.outro.media_id))
    return _with_bumpers(spec, _with_transition_clips(spec, items))


def _with_transition_clips(spec: CompilationSpec, items: list[ArrangedItem]) -> list[ArrangedItem]:
    """Insert a transition clip into each gap, except before a clip with its own transition."""
    if spec.transitions is None:
        return items
    everywhere = spec.transitions.placement is TransitionPlacement.EVERYWHERE
    media_ids = _transition_media_ids(spec)
    arranged, gap = items[:1], 0
    for previous, item in pairwise(items):
        if everywhere or previous.kind == item.kind == "clip":
            if item.kind != "clip" or spec.clips[item.clip].transition is None:
                arranged.append(ArrangedItem("transition", media_ids[gap % len(media_ids)]))
            gap += 1
        arranged.append(item)
    return arranged


def _transition_media_ids(spec: CompilationSpec) -> list[str]:
    """Return the transition clips in order of gaps: the list itself, or one choice per gap."""
    if spec.transitions is None:
        return []
    media_ids = spec.transitions.media_ids
    if spec.transitions.order is TransitionOrder.CYCLE:
        return list(media_ids)
    generator = random.Random(spec.transitions.seed)  # noqa: S311  repeatable, not secret
    return [generator.choice(media_ids) for _ in range(len(spec.clips) + 1)]


def _with_bumpers(spec: CompilationSpec, items: list[ArrangedItem]) -> list[ArrangedItem]:
    if spec.bumper is None or spec.bumper.placement is BumperPlacement.NONE:
        return items
    bumper = ArrangedItem("bumper", spec.bumper.media_id)
    arranged = [entry for item in items for entry in (item, bumper)]
    if spec.bumper.placement is BumperPlacement.BETWEEN or spec.outro:
        arranged.pop()
    if spec.bumper.placement is BumperPlacement.HEAD_STYLE and not spec.intro:
        arranged.insert(0, bumper)
    return arranged
