"""Fill the titles and credits that a spec leaves out with what the platforms say. Pure."""

from __future__ import annotations

from clipmill.protocol import ClipState, SourceMetadata
from clipmill.spec import CompilationSpec
from clipmill.spec.clip import Clip
from clipmill.spec.picture import ClipCredit
from clipmill_api.compilations.media_sources import source_metadata_of
from clipmill_api.compilations.plan_models import ResolvedSpec

MAX_CREDIT_CHARS = 100


def credited_spec(resolved: ResolvedSpec) -> CompilationSpec:
    """Return the spec with the title, creator and game of each ready clip. Its own values win."""
    clips = list(resolved.spec.clips)
    for clip in resolved.clips:
        media = resolved.media.get(clip.media_id or "")
        source = source_metadata_of(media) if media else None
        if source and clip.state == ClipState.READY:
            clips[clip.position] = _credited(clips[clip.position], source)
    return resolved.spec.model_copy(update={"clips": clips})


def _credited(clip: Clip, source: SourceMetadata) -> Clip:
    credit = clip.credit or ClipCredit()
    # As in the episodes of a show: the channel is credited, not who made the clip of it.
    creator = credit.creator or _shortened(source.broadcaster or source.creator)
    game = credit.game or _shortened(source.game)
    filled = credit.model_copy(update={"creator": creator, "game": game})
    title = clip.title or source.title
    has_credit = bool(clip.credit or creator or game)
    return clip.model_copy(update={"title": title, "credit": filled if has_credit else None})


def _shortened(text: str | None) -> str | None:
    return text[:MAX_CREDIT_CHARS].strip() if text else None
