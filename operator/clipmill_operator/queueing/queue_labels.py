"""Labels by which Kueue queues a Job: of the Compilation, or else those of the settings. Pure."""

from __future__ import annotations

from clipmill_operator.building.labels import PRIORITY_CLASS, QUEUE_NAME
from clipmill_operator.settings import Settings
from clipmill_operator.watching.observed import ObservedCompilation


def queue_labels(compilation: ObservedCompilation, settings: Settings) -> dict[str, str]:
    """Return the labels for the Jobs of a Compilation; none without Kueue or without a queue."""
    queue = compilation.queue_name or settings.kueue_queue
    if not settings.kueue or not queue:
        return {}
    priority = compilation.priority_class or settings.kueue_priority_class
    return {QUEUE_NAME: queue, **({PRIORITY_CLASS: priority} if priority else {})}
