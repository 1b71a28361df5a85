"""Which clips of a resolved spec cannot play, and how that ends a revision. Pure."""

from __future__ import annotations

from clipmill.protocol import ClipState, CompilationState
from clipmill.spec import OnClipError, parse_duration
from clipmill_api.compilations.media_sources import media_facts
from clipmill_api.compilations.output_planning import OVER_TIER_LIMIT
from clipmill_api.compilations.plan_models import ResolvedSpec
from clipmill_api.compilations.revision_end import RevisionEnd
from clipmill_api.tables import ClipRow


def late_starts(resolved: ResolvedSpec) -> dict[str, str]:
    """Return the clips whose `start` is not before their end, by id with a message."""
    messages = {clip.id: _late_start(resolved, clip) for clip in resolved.clips}
    return {clip_id: message for clip_id, message in messages.items() if message}


def _late_start(resolved: ResolvedSpec, clip: ClipRow) -> str | None:
    start = resolved.spec.clips[clip.position].start
    media = resolved.media.get(clip.media_id or "")
    if clip.state != ClipState.READY or start is None or media is None:
        return None
    facts = media_facts(media)
    if (
        facts is None
        or facts.is_image
        or round(parse_duration(start) * 1_000_000) < facts.source_us
    ):
        return None
    length_s = facts.source_us / 1e6
    return f"start {start} is not before the end of the clip ({length_s:.2f}s long)"


def end_by_missing_clips(resolved: ResolvedSpec) -> RevisionEnd | None:
    """Return how the revision ends if too many clips are skipped; None if it goes on."""
    spec, total = resolved.spec, len(resolved.clips)
    skipped = [clip for clip in resolved.clips if clip.state == ClipState.SKIPPED]
    failed = [clip for clip in skipped if clip.reason != OVER_TIER_LIMIT]
    if failed and spec.on_clip_error is OnClipError.FAIL:
        message = f"clip {failed[0].name}: {failed[0].message} (spec.onClipError is Fail)"
        return RevisionEnd(CompilationState.FAILED, "ClipFailed", message)
    ready = total - len(skipped)
    if ready >= spec.minimum_clips:
        return None
    causes = "; ".join(f"{clip.name}: {clip.message}" for clip in skipped[:5])
    message = (
        f"spec.minimumClips is {spec.minimum_clips}, but {ready} of {total} clips are ready"
        f" ({causes})"
    )
    return RevisionEnd(CompilationState.FAILED, "TooFewClips", message)
