"""What plays in which order: clips, the intro and outro around them, what stands between. Pure.

intro C1 T1 C2 T2 ... Cn outro, then the bumper S where its placement says.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from clipmill.protocol.result_record import ItemKind
from clipmill.spec import BumperPlacement, CompilationSpec, TransitionOrder, TransitionPlacement


class ArrangedItem(NamedTuple):
    """One shot: an asset by its media id, or a clip by its position in the spec."""

    kind: ItemKind
    media_id: str = ""
    clip: int = -1


def arrange(spec: CompilationSpec, playing: Sequence[int]) -> list[ArrangedItem]:
    """All shots in order. `playing`: the positions of the clips that were not skipped."""
    shots = [ArrangedItem("clip", clip=position) for position in playing]
    if spec.intro:
        shots.insert(0, ArrangedItem("intro", spec.intro.media_id))
    if spec.outro:
        shots.append(ArrangedItem("outro", spec.outro.media_id))
    return _with_bumpers(spec, _with_transitions(spec, shots))


def _with_transitions(spec: CompilationSpec, shots: list[ArrangedItem]) -> list[ArrangedItem]:
    """A transition clip in each gap, unless the clip after it is entered in its own way."""
    if spec.transitions is None:
        return shots
    everywhere = spec.transitions.placement is TransitionPlacement.EVERYWHERE
    names = _transition_names(spec)
    found, gap = shots[:1], 0
    for before, shot in pairwise(shots):
        if everywhere or before.kind == shot.kind == "clip":
            own = shot.kind == "clip" and spec.clips[shot.clip].transition is not None
            found += [] if own else [ArrangedItem("transition", names[gap % len(names)])]
            gap += 1
        found.append(shot)
    return found


def _transition_names(spec: CompilationSpec) -> list[str]:
    """Transition clips by gap: the list in turn, or seeded draws, one for each possible gap."""
    if spec.transitions is None:
        return []
    ids = spec.transitions.media_ids
    if spec.transitions.order is TransitionOrder.CYCLE:
        return list(ids)
    draw = random.Random(spec.transitions.seed)  # noqa: S311  a repeatable choice, no secret
    return [draw.choice(ids) for _ in range(len(spec.clips) + 1)]


def _with_bumpers(spec: CompilationSpec, shots: list[ArrangedItem]) -> list[ArrangedItem]:
    """Between: in every gap, never first or last. HeadStyle: after all but the outro, and first."""
    if spec.bumper is None or spec.bumper.placement is BumperPlacement.NONE:
        return shots
    bumper = ArrangedItem("bumper", spec.bumper.media_id)
    found = [each for shot in shots for each in (shot, bumper)]
    if spec.bumper.placement is BumperPlacement.BETWEEN or spec.outro:
        found.pop()
    if spec.bumper.placement is BumperPlacement.HEAD_STYLE and not spec.intro:
        found.insert(0, bumper)
    return found
