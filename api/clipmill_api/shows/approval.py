"""Approve drafts, and run a show at once."""

from __future__ import annotations

from clipmill.spec import CompilationSpec, PreviewExtent, Quality
from clipmill_api.compilations import submission
from clipmill_api.context import Context
from clipmill_api.database import Session
from clipmill_api.http.problem_details import ApiProblem
from clipmill_api.queries import revisions
from clipmill_api.queries.shows import episode_rows
from clipmill_api.shows.discover_tasks import lock_both
from clipmill_api.shows.episode_end import is_ended
from clipmill_api.shows.episode_start import start_episode, start_preview
from clipmill_api.shows.episode_sync import sync_episode
from clipmill_api.shows.show_checks import find_problem
from clipmill_api.shows.show_registration import lock_own_show
from clipmill_api.tables import CompilationRow, EpisodeRow, ShowRow


def approve(session: Session, ctx: Context, owner: str, compilation_id: str) -> CompilationRow:
    """Render a draft in full quality, by an edit of its spec. Repeating it changes nothing.

    Raises:
        ApiProblem: NotFound, Ended if the episode has expired or ended, or a refusal of the edit.
    """
    compilation = submission.own_compilation(session, owner, compilation_id)
    episode = episode_rows.find_of_compilation(session, compilation.id)
    if episode is not None:
        _, episode = lock_both(session, episode.id)
    revision = revisions.get_revision(session, compilation.id, compilation.generation)
    if revision.spec.get("quality") != Quality.DRAFT:
        return compilation
    if episode is not None and is_ended(episode):
        detail = f"episode {episode.name} has ended with {episode.reason or episode.state}"
        raise ApiProblem(409, "Ended", detail, state=episode.state)
    spec = CompilationSpec.model_validate(revision.spec)
    final = spec.model_copy(update={"quality": Quality.FINAL, "preview": PreviewExtent.WHOLE})
    compilation = submission.edit_spec(session, ctx, owner, compilation_id, final)
    if episode is not None:
        session.flush()
        sync_episode(session, ctx, episode.id)
    return compilation


def run_now(session: Session, ctx: Context, owner: str, show_id: str) -> EpisodeRow:
    """Start an episode at once, as if this minute were scheduled. A repeat returns the same one.

    Raises:
        ApiProblem: NotFound or InvalidShow.
    """
    show = _ready_show(session, ctx, owner, show_id)
    return start_episode(session, ctx, show, ctx.now().replace(second=0, microsecond=0))


def preview(session: Session, ctx: Context, owner: str, show_id: str) -> EpisodeRow:
    """Start an episode that ends, as skipped, once its clips are selected.

    Raises:
        ApiProblem: NotFound or InvalidShow.
    """
    return start_preview(session, ctx, _ready_show(session, ctx, owner, show_id))


def _ready_show(session: Session, ctx: Context, owner: str, show_id: str) -> ShowRow:
    show = lock_own_show(session, owner, show_id)
    problem = find_problem(session, ctx, show)
    if problem is not None:
        raise ApiProblem(422, "InvalidShow", problem.message, reason=problem.reason)
    return show
