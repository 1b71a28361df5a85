"""The tick of all shows: what is due is started or ended, and what changed is returned.

Several operators may send ticks at the same time: each show is evaluated under its lock, and each
scheduled time has one episode. At rest a tick takes a fixed number of statements.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from clipmill.shows.show_messages import DiscoverJob, ShowTick
from clipmill_api.context import Context
from clipmill_api.database import UNAVAILABLE, Session
from clipmill_api.http.problem_details import ApiProblem
from clipmill_api.queries.shows import episode_rows, show_rows
from clipmill_api.shows.episode_start import CHECK_INTERVAL, evaluate_show
from clipmill_api.shows.episode_sync import expire_draft, sync_episode
from clipmill_api.shows.show_views import resource_uid, show_views
from clipmill_api.tables import EpisodeRow, ShowRow

log = logging.getLogger(__name__)
# What one tick does at most; the next one continues.
BATCH = 100
MAX_DISCOVER_JOBS = 200
# Changes are returned again for this long, since a transaction may commit later than others that
# began after it.
OVERLAP = timedelta(seconds=15)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def tick(ctx: Context, cursor: int) -> ShowTick:
    """Start and end what is due.

    Args:
        ctx: The API.
        cursor: That of the last reply; 0 returns every show.
    """
    now = ctx.now()
    with ctx.db.read() as session:
        moved = episode_rows.list_moved(session, BATCH)
        expired = episode_rows.list_expired(session, now, BATCH)
        due = show_rows.due_ids(session, now, BATCH)
    for episode_id in moved:
        _attempt(ctx, sync_episode, episode_id)
    for episode_id in expired:
        _attempt(ctx, expire_draft, episode_id)
    for show_id in due:
        if not _attempt(ctx, _evaluate, show_id):
            ctx.db.write(partial(show_rows.postpone, show_id=show_id, until=now + CHECK_INTERVAL))
    with ctx.db.read() as session:
        return _changes(session, now, cursor)


def _attempt(ctx: Context, change: Callable[[Session, Context, str], None], row_id: str) -> bool:
    """Make one change in a transaction of its own, so that a failure holds up no other show."""
    try:
        ctx.db.write(lambda session: change(session, ctx, row_id))
    except UNAVAILABLE:
        raise
    except ApiProblem as problem:  # the row was deleted meanwhile
        log.info("tick id=%s code=%s", row_id, problem.code)
    except Exception:
        log.exception("tick failed id=%s", row_id)
        return False
    return True


def _evaluate(session: Session, ctx: Context, show_id: str) -> None:
    show = show_rows.lock_show(session, show_id)
    if show is not None and show.evaluate_at is not None and show.evaluate_at <= ctx.now():
        evaluate_show(session, ctx, show)


def _changes(session: Session, now: datetime, cursor: int) -> ShowTick:
    since = EPOCH + timedelta(milliseconds=min(cursor, _cursor_at(now))) - OVERLAP
    return ShowTick(
        cursor=_cursor_at(now),
        changed=show_views(session, show_rows.list_changed(session, since)),
        discover=[
            discover_job(episode, show)
            for episode, show in episode_rows.list_discovering(session, MAX_DISCOVER_JOBS)
        ],
    )


def _cursor_at(now: datetime) -> int:
    return int((now - EPOCH) / timedelta(milliseconds=1))


def discover_job(episode: EpisodeRow, show: ShowRow) -> DiscoverJob:
    """Return what the operator needs to know of an episode whose discover task needs a pod."""
    return DiscoverJob(
        episode_id=episode.id,
        show_uid=resource_uid(show),
        show_name=show.name,
        namespace=show.namespace,
        name=episode.name,
        owner=show.owner,
    )
