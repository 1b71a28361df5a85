"""Views of shows and episodes: what users and the operator read."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence

from pydantic import ValidationError

from clipmill.protocol import ShowReference
from clipmill.shows.candidates import SourceReport
from clipmill.shows.show_messages import (
    ConsideredClip,
    EpisodeReport,
    EpisodeState,
    EpisodeView,
    ShowView,
)
from clipmill.shows.show_spec import ShowSpec
from clipmill_api.database import Session
from clipmill_api.queries.shows import episode_rows
from clipmill_api.tables import EpisodeRow, ShowRow

log = logging.getLogger(__name__)


def has_resource(show: ShowRow) -> bool:
    """Return whether a show is a resource, and not one that the API created."""
    return "/" not in show.identity


def resource_uid(show: ShowRow) -> str | None:
    """Return the uid of a show's resource; None for a show that the API created."""
    return show.identity if has_resource(show) else None


def show_reference(episode: EpisodeRow, show: ShowRow) -> ShowReference:
    """Return how the compilation of an episode names its show."""
    return ShowReference(
        name=show.name,
        uid=resource_uid(show),
        episode=episode.number,
        scheduled_at=episode.scheduled_at,
    )


def episode_view(episode: EpisodeRow) -> EpisodeView:
    """Return the view of an episode."""
    return EpisodeView(
        id=episode.id,
        show_id=episode.show_id,
        number=episode.number,
        scheduled_at=episode.scheduled_at,
        state=EpisodeState(episode.state),
        reason=episode.reason,
        message=episode.message,
        name=episode.name,
        compilation_id=episode.compilation_id,
        taken=episode.taken,
        considered=episode.considered,
    )


def episode_report(session: Session, episode: EpisodeRow) -> EpisodeReport:
    """Return an episode with what its sources offered."""
    report = episode_rows.find_report(session, episode.id)
    return EpisodeReport(
        **dict(episode_view(episode)),
        candidates=[ConsideredClip.model_validate(c) for c in report.candidates] if report else [],
        sources=[SourceReport.model_validate(source) for source in report.sources]
        if report
        else [],
    )


def show_views(session: Session, shows: Sequence[ShowRow]) -> list[ShowView]:
    """Return the views of shows, by two statements for any number of them."""
    ids = [show.id for show in shows]
    if not ids:
        return []
    last = episode_rows.last_episodes(session, ids)
    active: defaultdict[str, list[str]] = defaultdict(list)
    for show_id, name in episode_rows.running_names(session, ids):
        active[show_id].append(name)
    views: list[ShowView] = []
    for show in shows:
        try:
            views.append(_show_view(show, last.get(show.id), active[show.id]))
        except ValidationError:  # written by another release; the others are shown
            log.exception("show unreadable id=%s name=%s", show.id, show.name)
    return views


def show_view(session: Session, show: ShowRow) -> ShowView:
    """Return the view of a show."""
    return show_views(session, [show])[0]


def _show_view(show: ShowRow, last: EpisodeRow | None, active: list[str]) -> ShowView:
    return ShowView(
        id=show.id,
        uid=resource_uid(show),
        namespace=show.namespace,
        name=show.name,
        owner=show.owner,
        generation=show.generation,
        spec=ShowSpec.model_validate(show.spec),
        ready=show.ready,
        reason=show.reason,
        message=show.message,
        next_at=show.next_at,
        last_at=show.last_at,
        last_successful_at=show.last_successful_at,
        active=active,
        last_episode=episode_view(last) if last else None,
    )
