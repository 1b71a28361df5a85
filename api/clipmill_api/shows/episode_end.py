"""End episodes, and delete ended ones beyond the history of their show."""

from __future__ import annotations

import logging

from clipmill.protocol import ISOLATION_FAILURES, CompilationState
from clipmill.shows.show_messages import EpisodeState, SkipReason
from clipmill.shows.show_spec import ShowSpec
from clipmill_api.compilations import submission
from clipmill_api.compilations.revision_end import RevisionEnd
from clipmill_api.context import Context
from clipmill_api.database import Session, after_commit
from clipmill_api.notifications.outbox import SkippedEpisode, episode_skipped
from clipmill_api.queries import compilation_records, revision_clips
from clipmill_api.queries.shows import episode_rows, show_rows
from clipmill_api.shows.show_checks import MESSAGE_CHARS
from clipmill_api.tables import ClipRow, EpisodeRow, ShowRow

log = logging.getLogger(__name__)
ENDED = frozenset({EpisodeState.SUCCEEDED, EpisodeState.FAILED, EpisodeState.SKIPPED})


def is_ended(episode: EpisodeRow) -> bool:
    """Return whether an episode is in a final state."""
    return EpisodeState(episode.state) in ENDED


def end_episode(
    session: Session,
    ctx: Context,
    show: ShowRow,
    episode: EpisodeRow,
    end: tuple[EpisodeState, str, str],
) -> None:
    """Set the final state of an episode. One that has ended does not change.

    The clips of an episode without a video are free for later ones.

    Args:
        session: The transaction, which holds the lock of the show.
        ctx: The API.
        show: The episode's show.
        episode: The episode.
        end: State, reason and message.
    """
    if is_ended(episode):
        return
    state, reason, message = end
    now = ctx.now()
    episode.state, episode.reason, episode.message = state.value, reason, message[:MESSAGE_CHARS]
    episode.completed_at, episode.expires_at, episode.lease_until = now, None, None
    show.changed_at = now
    if state is EpisodeState.SUCCEEDED:
        show.last_successful_at = now
        _keep_played_clips(session, episode)
    else:
        show_rows.set_used_keys(session, episode, ())
    if reason in ISOLATION_FAILURES and episode.compilation_id is None:
        after_commit(session, ctx.metrics.isolation_failures.labels(reason).inc)
    has_no_video = state is EpisodeState.SKIPPED or episode.compilation_id is None
    if has_no_video and reason != SkipReason.PREVIEW:
        _notify_skipped(session, ctx, show, episode)
    log.info(
        "episode ended show=%s name=%s state=%s reason=%s",
        *(show.name, episode.name, state, reason),
    )
    apply_history(session, ctx, show)


def _notify_skipped(session: Session, ctx: Context, show: ShowRow, episode: EpisodeRow) -> None:
    """Notify of an episode without a compilation; the end of a compilation is one of its own."""
    skipped = SkippedEpisode(
        show=show.name,
        scheduled_at=episode.scheduled_at,
        reason=episode.reason,
        message=episode.message,
        names=ShowSpec.model_validate(show.spec).notify or None,
    )
    episode_skipped(session, ctx, show.owner, skipped)


def _keep_played_clips(session: Session, episode: EpisodeRow) -> None:
    """Store the clips that the video plays, which a person may have changed."""
    revision = episode_rows.newest_revision(session, episode)
    if revision is None:
        return
    clips = revision_clips.list_clips(session, revision.compilation_id, revision.generation)
    keys = {used_key(clip) for clip in clips if clip.reason is None}
    show_rows.set_used_keys(session, episode, keys - {""})


def used_key(clip: ClipRow) -> str:
    """Return the identity of a clip of a compilation; empty for a title card."""
    return clip.clip_key or (media_key(clip.media_id) if clip.media_id else "")


def media_key(media_id: str) -> str:
    """Return the clip key of media without one of its own."""
    return f"media:{media_id}"


def skip_episode(
    session: Session,
    ctx: Context,
    show: ShowRow,
    episode: EpisodeRow,
    end: tuple[SkipReason, str],
) -> None:
    """End an episode without a video, and remove its compilation if there is one."""
    reason, message = end
    if is_ended(episode):
        return
    remove_compilation(session, ctx, episode, reason.value)
    end_episode(session, ctx, show, episode, (EpisodeState.SKIPPED, reason.value, message))


def remove_compilation(session: Session, ctx: Context, episode: EpisodeRow, reason: str) -> None:
    """Cancel the compilation of an episode if it is active, and delete its resource."""
    if episode.compilation_id is None:
        return
    compilation = compilation_records.find_and_lock(session, episode.compilation_id)
    if compilation is not None:
        end = RevisionEnd(CompilationState.CANCELLED, reason)
        submission.remove_compilation(session, ctx, compilation, end)


def apply_history(session: Session, ctx: Context, show: ShowRow) -> None:
    """Delete ended episodes beyond the history of their show, with their compilations."""
    history = ShowSpec.model_validate(show.spec).history
    session.flush()
    ended = episode_rows.list_ended(session, show.id)
    succeeded = [e for e in ended if e.state == EpisodeState.SUCCEEDED]
    previews = [e for e in ended if e.reason == SkipReason.PREVIEW]
    others = [e for e in ended if e.state != EpisodeState.SUCCEEDED and e not in previews]
    excess = succeeded[history.successful :] + others[history.failed :] + previews[1:]
    for episode in excess:
        remove_compilation(session, ctx, episode, "History")
    if excess:
        show_rows.delete_episodes(session, [episode.id for episode in excess])
        for episode in excess:
            session.expunge(episode)
