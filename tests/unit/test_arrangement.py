"""The order of items: counts by formula, and where bumpers and transition clips play."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from clipmill.spec import CompilationSpec
from clipmill.timeline.arrangement import arrange

LETTERS = {"intro": "I", "outro": "O", "transition": "T", "bumper": "S", "clip": "C"}
INTRO, OUTRO = {"intro": {"mediaId": "m-intro"}}, {"outro": {"mediaId": "m-outro"}}


def _spec(clips: int, **rest: Any) -> CompilationSpec:
    names = [{"mediaId": "m-clip", "name": f"c{i}"} for i in range(clips)]
    return CompilationSpec.model_validate({"clips": names} | rest)


def _order(spec: CompilationSpec, *skipped: int) -> str:
    playing = [i for i in range(len(spec.clips)) if i not in skipped]
    return "".join(LETTERS[item.kind] for item in arrange(spec, playing))


def _transitions(placement: str = "BetweenClips", **rest: Any) -> dict[str, Any]:
    return {"transitions": {"mediaIds": ["m-aaaa", "m-bbbb"], "placement": placement, **rest}}


def _bumper(placement: str) -> dict[str, Any]:
    return {"bumper": {"mediaId": "m-bump", "placement": placement}}


CASES = [
    ({}, "CCC"),
    (INTRO | OUTRO | _transitions(), "ICTCTCO"),
    (INTRO | OUTRO | _transitions("Everywhere"), "ITCTCTCTO"),
    (_bumper("None") | INTRO, "ICCC"),
    (_bumper("Between"), "CSCSC"),
    (_bumper("Between") | INTRO | OUTRO | _transitions(), "ISCSTSCSTSCSO"),
    (_bumper("HeadStyle") | INTRO | OUTRO | _transitions(), "ISCSTSCSTSCSO"),
    (_bumper("HeadStyle"), "SCSCSCS"),
    (_bumper("HeadStyle") | INTRO, "ISCSCSCS"),
    (_bumper("HeadStyle") | OUTRO, "SCSCSCSO"),
]


@pytest.mark.parametrize(("rest", "expected"), CASES)
def test_order(rest: dict[str, Any], expected: str) -> None:
    """Each placement of transition clips and bumpers gives its order."""
    assert _order(_spec(3, **rest)) == expected


@settings(deadline=None)
@given(
    st.integers(1, 20),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, "BetweenClips", "Everywhere"]),
    st.sampled_from(["None", "Between", "HeadStyle"]),
)
def test_counts(n: int, intro: bool, outro: bool, between: str | None, bumper: str) -> None:
    """The number of items follows the formulas, for any number of clips."""
    rest: dict[str, Any] = _bumper(bumper)
    rest |= (INTRO if intro else {}) | (OUTRO if outro else {})
    rest |= _transitions(between) if between else {}
    order = _order(_spec(n, **rest))
    gaps = {None: 0, "BetweenClips": n - 1, "Everywhere": n + intro + outro - 1}[between]
    items = intro + outro + n + gaps
    bumpers = {"None": 0, "Between": items - 1, "HeadStyle": items + 1 - intro - outro}[bumper]
    assert len(order) == items + bumpers
    assert order.count("C") == n
    assert all(pair != ("S", "S") for pair in pairwise(order))
    if bumper != "HeadStyle":
        assert "S" not in (order[0], order[-1])


def test_a_skipped_clip_leaves_no_gap() -> None:
    """The transition clips and bumpers around it are left out, too."""
    spec = _spec(3, **_bumper("Between"), **_transitions())
    assert _order(spec, 1) == _order(spec, 0) == "CSTSC"


def test_a_transition_replaces_a_transition_clip() -> None:
    """The next gap has the transition clip that it would have without the transition."""
    clips = [{"mediaId": "m-clip", "name": f"c{i}"} for i in range(3)]
    clips[1]["transition"] = {"type": "Fade"}  # type: ignore[assignment]
    spec = CompilationSpec.model_validate({"clips": clips} | _transitions("Everywhere") | INTRO)
    assert [item.media_id for item in arrange(spec, [0, 1, 2])] == [
        *("m-intro", "m-aaaa", "", "", "m-aaaa", "")
    ]


def test_a_seed_repeats_the_random_choice() -> None:
    """Equal seeds choose alike; another clip at the end changes no gap before it."""
    specs = [_spec(n, **_transitions(order="Random", seed=7)) for n in (12, 12, 13)]
    choices = [
        [
            item.media_id
            for item in arrange(spec, range(len(spec.clips)))
            if item.kind == "transition"
        ]
        for spec in specs
    ]
    assert choices[0] == choices[1] == choices[2][:11]
    assert set(choices[0]) == {"m-aaaa", "m-bbbb"}


def test_a_transition_into_the_first_clip_needs_an_item_before() -> None:
    """A bumper of placement HeadStyle plays before the first clip, one of Between does not."""
    clips = [{"mediaId": "m-clip", "transition": {"type": "Fade"}}]
    CompilationSpec.model_validate({"clips": clips, **_bumper("HeadStyle")})
    with pytest.raises(ValidationError, match="nothing plays before the first clip"):
        CompilationSpec.model_validate({"clips": clips, **_bumper("Between")})
