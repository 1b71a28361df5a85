"""Compilations of unlike sources: which play beside each other, and in which role."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from studio import custom

FADE = {"type": "Fade", "duration": "500ms"}
OVERLAP = 15


@dataclass(frozen=True, slots=True)
class Mixture:
    """Two unlike files in one compilation.

    Attributes:
        clips: Fields of the two clips beside their media; the first is untagged, the second tagged.
        spec: Fields of the spec; "UNTAGGED" and "TAGGED" stand for media ids.
        frames: Exact number of frames.
    """

    name: str
    frames: int
    clips: tuple[Mapping[str, Any], ...] = ({}, {})
    spec: Mapping[str, Any] = field(default_factory=dict)


ONE = ({},)
MIXTURES = (
    Mixture("neighbours", 120),
    Mixture("transition", 120 - OVERLAP, ({}, {"transition": FADE})),
    Mixture("intro", 120, ONE, {"intro": {"mediaId": "TAGGED"}}),
    Mixture("outro", 120, ONE, {"outro": {"mediaId": "TAGGED"}}),
    Mixture("bumper", 180, spec={"bumper": {"mediaId": "TAGGED"}}),
    Mixture("transition-clip", 180, spec={"transitions": {"mediaIds": ["TAGGED"]}}),
    Mixture("overlay", 120, ({"overlays": [{"text": "A"}]}, {})),
    Mixture("blur", 120, spec={"outputs": [custom(180, 320, fit="ContainBlur")]}),
    Mixture("layout", 120, spec={"outputs": [custom(layout=[{"target": {"width": 50}}])]}),
    Mixture("draft", 60, spec={"quality": "Draft"}),
    Mixture("webm", 120, spec={"outputs": [custom(container="webm")]}),
)
