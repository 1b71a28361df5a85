"""How a clip's fit and focus replace those of an output."""

from __future__ import annotations

from typing import Any

import pytest

from clipmill.protocol import Framing, MediaFacts
from clipmill.spec import CompilationSpec
from clipmill.timeline.build import MediaSource, build_timeline, build_timelines

FACTS = MediaFacts(format="mov", duration_us=2_000_000, width=640, height=360, frames=60)
SOURCE = MediaSource("m-clip", "1" * 64, FACTS)
OUTPUT = {"name": "main", "preset": "custom", "width": 180, "height": 320, "rate": 30}
LEFT, UPPER = {"left": 10, "top": 50}, {"left": 50, "top": 20}
CASES: list[tuple[dict[str, Any], dict[str, Any], tuple[str, dict[str, int] | None]]] = [
    ({}, {}, ("Contain", None)),
    ({}, {"fit": "Cover", "focus": LEFT}, ("Cover", LEFT)),
    ({"fit": "ContainBlur"}, {"fit": "Cover", "focus": LEFT}, ("ContainBlur", LEFT)),
    ({"focus": UPPER}, {"fit": "Cover", "focus": LEFT}, ("Cover", UPPER)),
    ({"fit": "Cover", "focus": {"top": 20}}, {}, ("Cover", UPPER)),
    ({"fit": "Cover", "focus": {"x": 50, "y": 20}}, {}, ("Cover", UPPER)),
]


@pytest.mark.parametrize(("clip", "output", "expected"), CASES)
def test_framing(
    clip: dict[str, Any], output: dict[str, Any], expected: tuple[str, dict[str, int] | None]
) -> None:
    """The clip's own value, else the output's; assets have the output's fit only."""
    spec = CompilationSpec.model_validate(
        {
            "clips": [{"mediaId": "m-clip", **clip}],
            "intro": {"mediaId": "m-intro"},
            "outputs": [{**OUTPUT, **output}],
        }
    )
    timeline = build_timeline(spec, spec.outputs[0], [SOURCE], {"m-intro": SOURCE})
    intro, played = (source.framing for source in timeline.sources)
    fit, focus = expected
    assert (played.fit.value, played.focus and played.focus.model_dump()) == (fit, focus)
    assert intro == Framing(fit=spec.outputs[0].fit)


def test_outputs_that_share_their_items() -> None:
    """Outputs of equal and of other rates are the same whether built together or alone."""
    changes: list[dict[str, Any]] = [
        {},
        {"width": 640},
        {"fit": "Cover"},
        {"zoom": 120},
        {"rate": 25},
        {"maxBytes": 1_000_000, "focus": LEFT},
    ]
    outputs = [{**OUTPUT, **change, "name": f"o{i}"} for i, change in enumerate(changes)]
    clips = [{"mediaId": "m-clip"}, {"mediaId": "m-clip", "fit": "ContainBlur", "focus": UPPER}]
    spec = CompilationSpec.model_validate({"clips": clips, "outputs": outputs})
    sources = [SOURCE] * len(clips)
    together = build_timelines(spec, spec.outputs, sources, {})
    assert together == [build_timeline(spec, output, sources, {}) for output in spec.outputs]
    assert len({repr(timeline) for timeline in together}) == len(changes)
