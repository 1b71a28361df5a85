"""What the waiting clips of one source play of it: what is fetched, and what a file is enough for.

A trimmed clip may wait for a part of its source. Which part is fetched, the job decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from clipmill.protocol import ClipState, SourcePart
from clipmill.spec import CompilationSpec
from clipmill.spec.played_part import SourceSpan, played_part
from clipmill.spec.source_urls import clip_key
from clipmill_api.compilations.resolution import stored_spec
from clipmill_api.database import Session
from clipmill_api.queries import revision_clips, revisions
from clipmill_api.tables import ClipRow, MediaRow
from clipmill_api.tasks.excerpts import choose_media

# Clips of Twitch are at most a minute long.
SHORT_SOURCES = ("twitch:",)


class WaitingClip(NamedTuple):
    """A waiting clip, and what it plays of its source; None for all of it."""

    row: ClipRow
    span: SourceSpan | None


def waiting_clips(session: Session, clip: ClipRow) -> list[WaitingClip]:
    """Return the waiting clips of a clip's revision that have its key."""
    revision = revisions.get_revision(session, clip.compilation_id, clip.generation)
    spec = stored_spec(revision)
    rows = revision_clips.list_waiting(session, clip)
    return [WaitingClip(row, played_part(spec, row.position)) for row in rows]


def waiting_clips_of(session: Session, clip: ClipRow, spec: CompilationSpec) -> list[WaitingClip]:
    """Return them as `waiting_clips` does, for a spec that is loaded.

    Most sources have one clip, whose row needs no further statement.
    """
    urls = [each.url for each in spec.clips if each.url]
    if sum(clip_key(url) == clip.clip_key for url in urls) > 1:
        rows = revision_clips.list_waiting(session, clip)
    else:
        rows = [clip] if clip.state == ClipState.WAITING else []
    return [WaitingClip(row, played_part(spec, row.position)) for row in rows]


def mark_covered(
    session: Session, clips: Iterable[WaitingClip], media: Sequence[MediaRow], *, reused: bool
) -> list[WaitingClip]:
    """Give fetched files to the clips that they cover. Return the clips that go on waiting."""
    still_waiting = []
    for clip in clips:
        chosen = choose_media(media, clip.row.clip_key or "", clip.span)
        if chosen is None:
            still_waiting.append(clip)
            continue
        revision_clips.mark_ready(
            session, clip.row, media_id=chosen.id, reused=reused, same_key=False
        )
    return still_waiting


def source_parts(clips: Sequence[WaitingClip]) -> list[SourcePart]:
    """Return the spans that clips of one source play; none if the whole source is needed."""
    key = clips[0].row.clip_key or ""
    if key.startswith(SHORT_SOURCES) or any(clip.span is None for clip in clips):
        return []
    return [
        SourcePart(
            clip_id=row.id,
            start_us=round(span.start_s * 1_000_000),
            end_us=max(1, round(span.end_s * 1_000_000)),
        )
        for row, span in clips
        if span is not None
    ]
