"""Notify of the end of a revision, by its state, its quality and its clips."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipmill.protocol import ClipState, CompilationState
from clipmill.protocol.integrations.webhook_models import EventType
from clipmill.spec import Quality
from clipmill_api.context import Context
from clipmill_api.database import Session
from clipmill_api.notifications import outbox
from clipmill_api.queries import revision_clips, revisions
from clipmill_api.queries.integrations import webhook_rows
from clipmill_api.tables import CompilationRow

if TYPE_CHECKING:
    from clipmill_api.compilations.revision_end import RevisionEnd


def notify_end(
    session: Session, ctx: Context, compilation: CompilationRow, generation: int, end: RevisionEnd
) -> None:
    """Notify that a revision has succeeded or failed; other ends are what somebody asked for."""
    if end.state not in (CompilationState.SUCCEEDED, CompilationState.FAILED):
        return
    if not webhook_rows.list_webhooks(session, compilation.owner):
        return
    spec = revisions.get_revision(session, compilation.id, generation).spec
    clips = revision_clips.list_clips(session, compilation.id, generation)
    event = event_of_end(
        end.state,
        is_draft=spec.get("quality") == Quality.DRAFT,
        is_degraded=any(clip.state == ClipState.SKIPPED for clip in clips),
    )
    outcome = {
        "state": end.state.value,
        "reason": end.reason,
        "message": end.message,
        "outputs": end.outputs,
    }
    ended = outbox.CompilationEnd(generation, event, outcome, spec.get("notify"))
    outbox.compilation_ended(session, ctx, compilation, ended)


def event_of_end(state: CompilationState, *, is_draft: bool, is_degraded: bool) -> EventType:
    """Return the event of a terminal state. A draft is ready whether or not clips are missing."""
    if state is CompilationState.FAILED:
        return EventType.FAILED
    if is_draft:
        return EventType.DRAFT_READY
    return EventType.DEGRADED if is_degraded else EventType.SUCCEEDED
