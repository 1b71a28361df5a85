"""The cache of plans: one planning of the same spec, another after any change, bounded."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from clipmill.protocol import ClipState, OutputPolicy
from clipmill.spec import CompilationSpec
from clipmill_api.compilations.output_planning import _plan_outputs
from clipmill_api.compilations.plan_cache import PlanCache
from clipmill_api.compilations.plan_models import PlannedOutput, ResolvedSpec
from clipmill_api.tables import ClipRow, MediaRow

FACTS = {
    "format": "mp4",
    "duration_us": 4_000_000,
    "frames": 120,
    "width": 1280,
    "height": 720,
    "audio_codec": "aac",
}


def media(name: str) -> MediaRow:
    """A clip of 4 s."""
    return MediaRow(id=name, owner="ada", kind="clip", sha256="a" * 64, facts=FACTS)


def resolved(**spec: object) -> ResolvedSpec:
    """A spec with two clips of the library."""
    ids = ("m-0001", "m-0002")
    clips = [
        ClipRow(name=f"clip-{i}", position=i, state=ClipState.READY.value, media_id=media_id)
        for i, media_id in enumerate(ids)
    ]
    content = {"clips": [{"mediaId": media_id} for media_id in ids], **spec}
    files = {media_id: media(media_id) for media_id in ids}
    return ResolvedSpec(CompilationSpec.model_validate(content), clips, files, OutputPolicy())


class CountingPlanner:
    """The real planning, counted."""

    calls = 0

    def __call__(self, spec: ResolvedSpec) -> list[PlannedOutput]:
        self.calls += 1
        return _plan_outputs(spec)


def test_the_same_spec_is_planned_once() -> None:
    """Whatever decides the outputs is part of the key."""
    cache, planner, first = PlanCache(), CountingPlanner(), resolved()
    assert cache.outputs(first, planner) == cache.outputs(resolved(), planner)
    assert planner.calls == 1
    skipped = resolved()
    skipped.clips[0].state = ClipState.SKIPPED.value
    other_media = replace(resolved(), media={"m-0001": media("m-0001"), "m-0003": media("m-0003")})
    changes = [
        resolved(title="another"),
        replace(resolved(), output_policy=OutputPolicy(max_fps=24)),
        skipped,
    ]
    for expected, changed in enumerate(changes, 2):
        assert cache.outputs(changed, planner) == _plan_outputs(changed)
        assert planner.calls == expected
    cache.outputs(other_media, planner)
    assert planner.calls == len(changes) + 2


def test_threads_that_ask_for_the_same_plan_share_it() -> None:
    """One of them plans at a time, and the others find its plan."""
    cache, planner = PlanCache(), CountingPlanner()
    with ThreadPoolExecutor(8) as pool:
        plans = list(pool.map(lambda _: cache.outputs(resolved(), planner), range(16)))
    assert planner.calls == 1
    assert all(plan == plans[0] for plan in plans)


def test_the_cache_is_bounded() -> None:
    """The least recently used plan is dropped; one that is larger than the cache is not kept."""
    cache, planner = PlanCache(max_segments=4), CountingPlanner()
    for title in ("a", "b", "a", "c", "a"):
        cache.outputs(resolved(title=title), planner)
    assert planner.calls == 3
    cache.outputs(resolved(title="b"), planner)
    assert planner.calls == 4
    small, again = PlanCache(max_segments=1), CountingPlanner()
    assert small.outputs(resolved(), again) == small.outputs(resolved(), again)
    assert again.calls == 2
