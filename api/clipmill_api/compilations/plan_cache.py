"""Remember the outputs of the specs that were planned last.

Planning 500 clips in 8 outputs takes a tenth of a second of processor time, and the same spec is
planned for each view of its plan.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence

from clipmill_api.bounded_cache import BoundedCache
from clipmill_api.compilations.plan_models import PlannedOutput, ResolvedSpec

# A segment takes about 2 KiB.
MAX_SEGMENTS = 20_000


class PlanCache:
    """Planned outputs by everything that decides them. The least recently used are dropped."""

    def __init__(self, max_segments: int = MAX_SEGMENTS) -> None:
        self._plans: BoundedCache[str, tuple[PlannedOutput, ...]] = BoundedCache(
            max_segments, _count_segments
        )
        # Several threads that plan at a time would not be faster, but slow all other requests.
        self._planning = threading.Lock()

    def outputs(
        self, resolved: ResolvedSpec, plan: Callable[[ResolvedSpec], Sequence[PlannedOutput]]
    ) -> list[PlannedOutput]:
        """Return the outputs of a spec; `plan` is called if they are not remembered."""
        key = plan_key(resolved)
        outputs = self._plans.get(key)
        if outputs is None:
            with self._planning:
                outputs = self._plans.get(key) or self._plans.put(key, tuple(plan(resolved)))
        return list(outputs)


def plan_key(resolved: ResolvedSpec) -> str:
    """Return a hash of all that decides the outputs. Facts of a media file never change."""
    clips = [(c.name, c.position, c.state, c.media_id, c.reason) for c in resolved.clips]
    media = sorted((media.id, media.sha256) for media in resolved.media.values())
    spec, policy = resolved.spec.model_dump_json(), resolved.output_policy.model_dump_json()
    return hashlib.sha256(repr((spec, policy, clips, media)).encode()).hexdigest()


def _count_segments(outputs: Sequence[PlannedOutput]) -> int:
    return sum(len(output.segments) for output in outputs)
