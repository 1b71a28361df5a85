"""End a discovery: select clips of the candidates, and submit the episode's compilation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from clipmill.shows.candidates import EMPTY_RESULT, ClipCandidate, SourceReport
from clipmill.shows.episode_spec import build_episode_spec
from clipmill.shows.selection import Selection, select_clips
from clipmill.shows.show_messages import EpisodeState, SkipReason
from clipmill.shows.show_spec import ShowSpec
from clipmill.spec import Manifest, Metadata
from clipmill.spec.long_duration import parse_long_duration
from clipmill.spec.source_urls import ForbiddenURL, check_url
from clipmill_api.compilations import submission
from clipmill_api.context import Context
from clipmill_api.database import Session
from clipmill_api.http.problem_details import ApiProblem
from clipmill_api.queries.shows import episode_rows, show_rows
from clipmill_api.settings import Settings
from clipmill_api.shows.episode_end import end_episode
from clipmill_api.shows.library_candidates import library_candidates
from clipmill_api.shows.show_checks import ShowProblem, set_problem
from clipmill_api.tables import EpisodeRow, ShowRow

# Candidates that a report keeps; the number of all of them is kept with the episode.
REPORTED = 1000


def window_of(spec: ShowSpec, scheduled_at: datetime) -> tuple[datetime, datetime]:
    """Return the times between which the clips of an episode were created.

    The scheduled minute is in it, so that an episode that is started by hand sees new media.
    """
    start = scheduled_at - parse_long_duration(spec.select.window)
    return start, scheduled_at + timedelta(minutes=1)


def _of_pod(candidates: Sequence[ClipCandidate]) -> list[ClipCandidate]:
    """Return candidates of a discover task without what only the API may say."""
    no_claims = {"media_id": None, "clip_key": ""}
    return [candidate.model_copy(update=no_claims) for candidate in candidates]


def _is_allowed(settings: Settings, candidate: ClipCandidate) -> bool:
    """Return whether the URL of a candidate may be fetched; media of the library always may."""
    if candidate.url is None:
        return True
    try:
        check_url(
            candidate.url,
            hosts=settings.allowed_hosts,
            any_host=settings.allow_any_host,
            private=settings.allow_private,
        )
    except ForbiddenURL:
        return False
    return True


def end_discovery(
    session: Session,
    ctx: Context,
    show: ShowRow,
    episode: EpisodeRow,
    discovered: Sequence[ClipCandidate] = (),
    sources: Sequence[SourceReport] = (),
) -> None:
    """Select the clips of an episode and submit its compilation, or end it with the reason."""
    spec = ShowSpec.model_validate(show.spec)
    library = library_candidates(session, show.owner, spec, episode.scheduled_at)
    selection = select_clips(
        [*_of_pod(discovered), *library],
        spec.select,
        used=show_rows.used_keys(session, show.id),
        window=window_of(spec, episode.scheduled_at),
        seed=episode.name,
        is_allowed=partial(_is_allowed, ctx.settings),
    )
    _store_report(session, episode, selection, sources)
    if episode.reason == SkipReason.PREVIEW:
        end = (EpisodeState.SKIPPED, SkipReason.PREVIEW.value, "nothing was to be rendered")
        end_episode(session, ctx, show, episode, end)
        return
    problem = _worst_problem(spec, sources)
    set_problem(show, problem, ctx.now())
    if len(selection.taken) >= spec.select.minimum:
        _submit(session, ctx, show, episode, selection)
    elif problem is not None and problem.reason != EMPTY_RESULT:
        end = (EpisodeState.FAILED, problem.reason, problem.message)
        end_episode(session, ctx, show, episode, end)
    else:
        message = (
            f"spec.select.minimum is {spec.select.minimum}, and {len(selection.taken)} of"
            f" {episode.considered} candidates can be taken"
        )
        end = (EpisodeState.SKIPPED, SkipReason.TOO_FEW_CLIPS.value, message)
        end_episode(session, ctx, show, episode, end)


def _worst_problem(spec: ShowSpec, reports: Sequence[SourceReport]) -> ShowProblem | None:
    """Return the first failure of a source, else the first source that offered nothing."""
    failed = sorted((r for r in reports if r.reason), key=lambda r: r.reason == EMPTY_RESULT)
    return _source_problem(spec, failed[0]) if failed else None


def _source_problem(spec: ShowSpec, report: SourceReport) -> ShowProblem:
    kind = spec.sources[report.source].kind if report.source < len(spec.sources) else "?"
    field = f"spec.sources[{report.source}].{kind}"
    message = report.message or report.reason
    is_complete = message.startswith(field)
    return ShowProblem(report.reason, message if is_complete else f"{field}: {message}")


def _store_report(
    session: Session, episode: EpisodeRow, selection: Selection, sources: Sequence[SourceReport]
) -> None:
    episode.taken, episode.considered = len(selection.taken), len(selection.ranked)
    episode_rows.put_report(
        session,
        episode.id,
        [clip.model_dump(mode="json", exclude_none=True) for clip in selection.report(REPORTED)],
        [source.model_dump(mode="json") for source in sources],
    )


def _submit(
    session: Session, ctx: Context, show: ShowRow, episode: EpisodeRow, selection: Selection
) -> None:
    """Submit the compilation of an episode, or fail the episode with the refusal."""
    episode.number = show.episodes + 1
    try:
        with session.begin_nested():
            manifest = _manifest(show, episode, selection)
            compilation = submission.add_submission(
                session, ctx, show.owner, manifest, is_episode=True
            )
    except ApiProblem as refusal:
        problem = ShowProblem(refusal.code, refusal.detail)
    except ValueError as error:  # a text is too long with its parameters filled in
        problem = ShowProblem("InvalidTemplate", _first_line(error))
    else:
        episode.state, episode.compilation_id = EpisodeState.CREATED.value, compilation.id
        episode.lease_until = None
        show.episodes, show.changed_at = episode.number, ctx.now()
        show_rows.set_used_keys(session, episode, selection.used_keys)
        return
    set_problem(show, problem, ctx.now())
    end_episode(session, ctx, show, episode, (EpisodeState.FAILED, problem.reason, problem.message))


def _manifest(show: ShowRow, episode: EpisodeRow, selection: Selection) -> Manifest:
    spec = ShowSpec.model_validate(show.spec)
    return Manifest(
        api_version="clipmill.dev/v1alpha1",
        kind="Compilation",
        metadata=Metadata(name=episode.name, namespace=show.namespace),
        spec=build_episode_spec(
            spec,
            selection.taken,
            show_name=show.name,
            number=episode.number,
            scheduled_at=episode.scheduled_at,
        ),
    )


def _first_line(error: ValueError) -> str:
    return str(error).splitlines()[0]
