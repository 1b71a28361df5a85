"""Keys of discover tasks: each is bound to an episode; that of a claim to its epoch too."""

from __future__ import annotations

from clipmill_api.context import Context
from clipmill_api.database import Session
from clipmill_api.http.authentication import new_key_row
from clipmill_api.queries import users_and_keys
from clipmill_api.queries.shows import episode_rows
from clipmill_api.shows import discover_tasks
from clipmill_api.tables import EpisodeRow


def replace_episode_key(session: Session, ctx: Context, episode_id: str) -> str:
    """Add a key for the discover task of an episode, and revoke its earlier keys.

    Raises:
        ApiProblem: NotFound, or Ended unless the episode is discovering.
    """
    _, episode = discover_tasks.lock_both(session, episode_id)
    discover_tasks.refuse_ended(episode)
    episode_rows.revoke_keys(session, episode.id, ctx.now())
    return add_episode_key(session, ctx, episode)


def add_episode_key(
    session: Session, ctx: Context, episode: EpisodeRow, *, epoch: int | None = None
) -> str:
    """Add a key for an episode, or for a claim of its task; return its secret."""
    key, secret = new_key_row(
        "discover",
        episode.owner,
        episode_id=episode.id,
        epoch=epoch,
        created_at=ctx.now(),
    )
    users_and_keys.add_key(session, key)
    return secret
