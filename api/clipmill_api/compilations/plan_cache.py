"""Remember the outputs of the specs that were planned last.

Planning 500 clips in 8 outputs takes a tenth of a second of processor time, and the same spec is
planned for each view of its plan.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

from clipmill_api.compilations.plan_models import PlannedOutput, ResolvedSpec

# A segment takes about 2 KiB.
MAX_SEGMENTS = 20_000


class PlanCache:
    """Planned outputs by everything that decides them. The least recently used are dropped."""

    def __init__(self, max_segments: int = MAX_SEGMENTS) -> None:
        self._max_segments = max_segments
        self._plans: OrderedDict[str, tuple[PlannedOutput, ...]] = OrderedDict()
        self._lock = threading.Lock()
        # Several threads that plan at a time would not be faster, but slow all other requests.
        self._planning = threading.Lock()

    def outputs(
        self, resolved: ResolvedSpec, plan: Callable[[ResolvedSpec], Sequence[PlannedOutput]]
    ) -> list[PlannedOutput]:
        """Return the outputs of a spec; `plan` is called if they are not remembered."""
        key = plan_key(resolved)
        outputs = self._remembered(key)
        if outputs is None:
            with self._planning:
                outputs = self._remembered(key) or self._remember(key, tuple(plan(resolved)))
        return list(outputs)

    def _remembered(self, key: str) -> tuple[PlannedOutput, ...] | None:
        with self._lock:
            if key not in self._plans:
                return None
            self._plans.move_to_end(key)
            return self._plans[key]

    def _remember(self, key: str, outputs: tuple[PlannedOutput, ...]) -> tuple[PlannedOutput, ...]:
        with self._lock:
            self._plans[key] = outputs
            while sum(map(_count_segments, self._plans.values())) > self._max_segments:
                self._plans.popitem(last=False)
        return outputs


def plan_key(resolved: ResolvedSpec) -> str:
    """Return a hash of all that decides the outputs. Facts of a media file never change."""
    clips = [(c.name, c.position, c.state, c.media_id, c.reason) for c in resolved.clips]
    media = sorted((media.id, media.sha256) for media in resolved.media.values())
    spec, policy = resolved.spec.model_dump_json(), resolved.output_policy.model_dump_json()
    return hashlib.sha256(repr((spec, policy, clips, media)).encode()).hexdigest()


def _count_segments(outputs: Sequence[PlannedOutput]) -> int:
    return sum(len(output.segments) for output in outputs)
