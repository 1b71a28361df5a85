"""Move episodes on by the state of their compilations: draft ready, approved, ended."""

from __future__ import annotations

from datetime import timedelta

from clipmill.protocol import TERMINAL_STATES, CompilationState
from clipmill.shows.show_messages import EpisodeState, SkipReason
from clipmill.spec import Quality
from clipmill_api.context import Context
from clipmill_api.database import Session
from clipmill_api.queries.shows import episode_rows
from clipmill_api.shows.discover_tasks import lock_both
from clipmill_api.shows.episode_end import end_episode, is_ended, skip_episode
from clipmill_api.tables import EpisodeRow, RevisionRow, ShowRow


def sync_episode(session: Session, ctx: Context, episode_id: str) -> None:
    """Give an episode the state that follows from its compilation. Repeating changes nothing."""
    show, episode = lock_both(session, episode_id)
    revision = episode_rows.newest_revision(session, episode)
    if revision is None or is_ended(episode):
        return
    state = _state_of(revision)
    if state in (EpisodeState.SUCCEEDED, EpisodeState.FAILED):
        end = (state, revision.reason or "", revision.message or "")
        end_episode(session, ctx, show, episode, end)
    elif episode.state != state:
        _set_open_state(ctx, show, episode, state)


def _state_of(revision: RevisionRow) -> EpisodeState:
    state = CompilationState(revision.state)
    if state not in TERMINAL_STATES:
        return EpisodeState.CREATED
    if state is not CompilationState.SUCCEEDED:
        return EpisodeState.FAILED
    is_draft = revision.spec.get("quality") == Quality.DRAFT
    return EpisodeState.AWAITING_APPROVAL if is_draft else EpisodeState.SUCCEEDED


def _set_open_state(ctx: Context, show: ShowRow, episode: EpisodeRow, state: EpisodeState) -> None:
    is_draft = state is EpisodeState.AWAITING_APPROVAL
    deadline = ctx.now() + timedelta(days=ctx.settings.approval_days)
    episode.state, episode.expires_at = state.value, deadline if is_draft else None
    show.changed_at = ctx.now()


def expire_draft(session: Session, ctx: Context, episode_id: str) -> None:
    """Skip an episode whose draft nobody has approved in time, and delete its compilation."""
    show, episode = lock_both(session, episode_id)
    sync_episode(session, ctx, episode_id)
    if episode.expires_at is None or episode.expires_at > ctx.now():
        return
    message = f"its draft was not approved within {ctx.settings.approval_days} days"
    skip_episode(session, ctx, show, episode, (SkipReason.NOT_APPROVED, message))
