"""Evaluate a show: start the episode that is due, and record the times that have none."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from clipmill.shows.episode_name import episode_name
from clipmill.shows.schedule import due, next_time
from clipmill.shows.show_messages import EpisodeState, SkipReason
from clipmill.shows.show_spec import ConcurrencyPolicy, ShowSpec
from clipmill_api.context import Context, new_id
from clipmill_api.database import Session
from clipmill_api.queries.shows import episode_rows
from clipmill_api.shows.discovery_end import end_discovery
from clipmill_api.shows.episode_end import end_episode, skip_episode
from clipmill_api.shows.show_checks import find_problem, set_problem
from clipmill_api.tables import EpisodeRow, ShowRow

log = logging.getLogger(__name__)
# When a show that is not ready is checked again: what it lacks may have been added.
CHECK_INTERVAL = timedelta(minutes=1)


def evaluate_show(
    session: Session, ctx: Context, show: ShowRow, *, resumed: datetime | None = None
) -> None:
    """Check a show, start what is due, and set when it is evaluated next.

    Repeating it changes nothing, since each scheduled time is counted once.

    Args:
        session: The transaction, which holds the lock of the show.
        ctx: The API.
        show: The show.
        resumed: The time now if the show was resumed or edited.
    """
    now = ctx.now()
    spec = ShowSpec.model_validate(show.spec)
    problem = find_problem(session, ctx, show)
    if problem is not None:
        set_problem(show, problem, now)
        _set_next(show, None, now + CHECK_INTERVAL, now)
        return
    was_blocked = show.next_at is None and not show.ready
    if was_blocked or resumed is not None:
        set_problem(show, None, now)
        resumed = now
    if spec.suspend:
        _set_next(show, None, None, now)
        return
    _start_due(session, ctx, show, spec, resumed)
    next_at = next_time(spec, now)
    _set_next(show, next_at, next_at, now)


def _set_next(
    show: ShowRow, next_at: datetime | None, evaluate_at: datetime | None, now: datetime
) -> None:
    if show.next_at != next_at:
        show.next_at, show.changed_at = next_at, now
    show.evaluate_at = evaluate_at


def _start_due(
    session: Session, ctx: Context, show: ShowRow, spec: ShowSpec, resumed: datetime | None
) -> None:
    runs = due(spec, show.counted_from, ctx.now(), resumed=resumed)
    for time in runs.missed:
        message = (
            f"spec.startingDeadlineSeconds is {spec.starting_deadline_seconds}, and"
            f" {_late_s(time, ctx.now())} s have passed"
            if spec.starting_deadline_seconds is not None
            else "a later scheduled time has passed too"
        )
        _add_skipped(session, ctx, show, time, (SkipReason.DEADLINE_MISSED, message))
    if runs.run_at is not None:
        start_episode(session, ctx, show, runs.run_at)
    show.counted_from = max(show.counted_from, ctx.now())


def _late_s(time: datetime, now: datetime) -> int:
    return int((now - time).total_seconds())


def start_episode(
    session: Session, ctx: Context, show: ShowRow, scheduled_at: datetime
) -> EpisodeRow:
    """Start the episode of a scheduled time under the concurrency policy, or return its episode."""
    existing = episode_rows.find_episode(session, show.id, scheduled_at)
    if existing is not None:
        return existing
    spec = ShowSpec.model_validate(show.spec)
    running = episode_rows.list_running(session, show.id)
    if running and spec.concurrency_policy is ConcurrencyPolicy.FORBID:
        message = f"episode {running[0].name} has not ended; spec.concurrencyPolicy is Forbid"
        return _add_skipped(session, ctx, show, scheduled_at, (SkipReason.STILL_RUNNING, message))
    if spec.concurrency_policy is ConcurrencyPolicy.REPLACE:
        for earlier in running:
            message = f"the episode of {scheduled_at:%Y-%m-%dT%H:%MZ} started"
            skip_episode(session, ctx, show, earlier, (SkipReason.REPLACED, message))
    episode = _add_episode(session, ctx, show, scheduled_at)
    show.last_at = max(show.last_at or scheduled_at, scheduled_at)
    _end_without_pod(session, ctx, show, episode)
    return episode


def start_preview(session: Session, ctx: Context, show: ShowRow) -> EpisodeRow:
    """Start an episode whose clips are selected, but neither rendered nor counted as played."""
    now = ctx.now()
    existing = episode_rows.find_episode(session, show.id, now)
    if existing is not None:
        return existing
    episode = _add_episode(session, ctx, show, now, reason=SkipReason.PREVIEW.value)
    _end_without_pod(session, ctx, show, episode)
    return episode


def _end_without_pod(session: Session, ctx: Context, show: ShowRow, episode: EpisodeRow) -> None:
    sources = ShowSpec.model_validate(show.spec).sources
    if all(source.library is not None for source in sources):
        end_discovery(session, ctx, show, episode)


def _add_skipped(
    session: Session,
    ctx: Context,
    show: ShowRow,
    scheduled_at: datetime,
    end: tuple[SkipReason, str],
) -> EpisodeRow:
    existing = episode_rows.find_episode(session, show.id, scheduled_at)
    if existing is not None:
        return existing
    episode = _add_episode(session, ctx, show, scheduled_at)
    reason, message = end
    end_episode(session, ctx, show, episode, (EpisodeState.SKIPPED, reason.value, message))
    return episode


def _add_episode(
    session: Session, ctx: Context, show: ShowRow, scheduled_at: datetime, *, reason: str = ""
) -> EpisodeRow:
    spec = ShowSpec.model_validate(show.spec)
    now = ctx.now()
    episode = EpisodeRow(
        id=new_id("e"),
        show_id=show.id,
        owner=show.owner,
        number=show.episodes + 1,
        scheduled_at=scheduled_at,
        name=episode_name(show.name, scheduled_at, spec.time_zone),
        state=EpisodeState.DISCOVERING.value,
        reason=reason,
        message="",
        taken=0,
        considered=0,
        epoch=0,
        holder="",
        created_at=now,
    )
    episode_rows.add_episode(session, episode)
    show.changed_at = now
    log.info("episode started show=%s name=%s owner=%s", show.name, episode.name, show.owner)
    return episode
