"""Discover tasks: leases, assignments and results. A claim fences out earlier holders."""

from __future__ import annotations

from collections.abc import Iterator

from clipmill.protocol import Directive, Heartbeat, HeartbeatReply
from clipmill.shows.candidates import (
    DiscoverAssignment,
    DiscoverClaim,
    DiscoverResult,
    SourceQuery,
    SourceReport,
)
from clipmill.shows.show_messages import EpisodeState, FailedDiscovery
from clipmill.shows.show_spec import ShowSpec
from clipmill_api.context import Context
from clipmill_api.database import Session
from clipmill_api.http.authentication import Principal
from clipmill_api.http.problem_details import ApiProblem, not_found
from clipmill_api.queries.shows import episode_rows, show_rows
from clipmill_api.shows.discovery_end import end_discovery, window_of
from clipmill_api.shows.episode_end import end_episode
from clipmill_api.shows.source_credentials import require_source_credentials, source_query
from clipmill_api.tables import EpisodeRow, ShowRow
from clipmill_api.timestamps import format_time

LIMIT_S = 300


def lock_both(session: Session, episode_id: str) -> tuple[ShowRow, EpisodeRow]:
    """Return a show and its episode, locked in this sequence. Raise NotFound."""
    show_id = episode_rows.show_id_of(session, episode_id)
    show = show_rows.lock_show(session, show_id) if show_id else None
    episode = episode_rows.lock_episode(session, episode_id) if show else None
    if show is None or episode is None:
        raise not_found("episode", episode_id)
    return show, episode


def is_discovering(episode: EpisodeRow) -> bool:
    """Return whether an episode still waits for its candidates."""
    return episode.state == EpisodeState.DISCOVERING


def refuse_ended(episode: EpisodeRow) -> None:
    """Raise Ended unless an episode still waits for its candidates."""
    if not is_discovering(episode):
        detail = f"episode: {episode.name} is in state {episode.state}, not Discovering"
        raise ApiProblem(409, "Ended", detail, state=episode.state)


def claim_discovery(
    session: Session, ctx: Context, principal: Principal, claim: DiscoverClaim
) -> DiscoverAssignment:
    """Give the discover task of an episode to a pod. A repeat by one holder keeps the epoch.

    Raises:
        ApiProblem: Ended or Leased.
    """
    if principal.task is not None:
        detail = "key: it belongs to a claimed task; claim with the key of the episode"
        raise ApiProblem(403, "Forbidden", detail)
    show, episode = lock_both(session, principal.episode_id)
    refuse_ended(episode)
    _take_lease(ctx, episode, claim.holder)
    spec = ShowSpec.model_validate(show.spec)
    started_after, ended_before = window_of(spec, episode.scheduled_at)
    settings = ctx.settings
    return DiscoverAssignment(
        episode_id=episode.id,
        epoch=episode.epoch,
        lease_s=settings.lease_s,
        started_after=started_after,
        ended_before=ended_before,
        queries=list(_queries(session, ctx, show.owner, spec)),
        limit_s=LIMIT_S,
        allowed_private=list(settings.allow_private),
        base_urls=dict(settings.source_urls),
        canaries=list(settings.canaries),
    )


def _take_lease(ctx: Context, episode: EpisodeRow, holder: str) -> None:
    is_leased = episode.lease_until is not None and episode.lease_until >= ctx.now()
    if is_leased and episode.holder != holder and episode.lease_until is not None:
        held_until = format_time(episode.lease_until)
        detail = f"the discover task of {episode.name} is leased to another pod until {held_until}"
        raise ApiProblem(503, "Leased", detail, leaseUntil=held_until)
    if not is_leased:
        episode.epoch += 1
    episode.holder, episode.lease_until = holder, ctx.later(ctx.settings.lease_s)


def _queries(session: Session, ctx: Context, owner: str, spec: ShowSpec) -> Iterator[SourceQuery]:
    """Yield the queries whose credentials exist; the result reports those of the others."""
    for index, source in enumerate(spec.sources):
        if source.library is not None:
            continue
        try:
            yield source_query(session, ctx, owner, index, source)
        except ApiProblem:
            continue


def record_discovery_heartbeat(
    session: Session, ctx: Context, principal: Principal, heartbeat: Heartbeat
) -> HeartbeatReply:
    """Extend the lease of a discover task. Raise LeaseLost."""
    lease_s = ctx.settings.lease_s
    if not principal.live:
        return HeartbeatReply(
            directive=Directive.STOP, reason="the episode has ended", lease_s=lease_s
        )
    if not episode_rows.renew_lease(
        session, principal.episode_id, epoch=heartbeat.epoch, until=ctx.later(lease_s)
    ):
        raise _lease_lost(heartbeat.epoch)
    return HeartbeatReply(directive=Directive.CONTINUE, lease_s=lease_s)


def _lease_lost(epoch: int) -> ApiProblem:
    detail = f"epoch: {epoch} of the discover task has ended by a later claim"
    return ApiProblem(409, "LeaseLost", detail)


def record_discovery(
    session: Session, ctx: Context, principal: Principal, result: DiscoverResult
) -> None:
    """End a discover task. A repeat changes nothing.

    Raises:
        ApiProblem: LeaseLost.
    """
    show, episode = lock_both(session, principal.episode_id)
    if episode.epoch != result.epoch:
        raise _lease_lost(result.epoch)
    if not is_discovering(episode):
        return
    failure = result.failure
    if failure is not None and not failure.permanent:
        episode.lease_until = None
    elif failure is not None:
        end = (EpisodeState.FAILED, failure.code, failure.message)
        end_episode(session, ctx, show, episode, end)
    else:
        sources = [*result.sources, *_missing_reports(session, show, result)]
        end_discovery(session, ctx, show, episode, result.candidates, sources)


def _missing_reports(
    session: Session, show: ShowRow, result: DiscoverResult
) -> Iterator[SourceReport]:
    """Yield a report for each source that was not queried, since its credentials are missing."""
    reported = {report.source for report in result.sources}
    for index, source in enumerate(ShowSpec.model_validate(show.spec).sources):
        if index in reported or source.library is not None:
            continue
        try:
            require_source_credentials(session, show.owner, source)
        except ApiProblem as problem:
            yield SourceReport(source=index, reason=problem.code, message=problem.detail[:500])


def record_failed_discovery(
    session: Session, ctx: Context, episode_id: str, failure: FailedDiscovery
) -> EpisodeRow:
    """Fail an episode whose discover task is not retried any more. A repeat changes nothing."""
    show, episode = lock_both(session, episode_id)
    if is_discovering(episode):
        reason = failure.reason or "DiscoveryFailed"
        end = (EpisodeState.FAILED, reason, failure.message)
        end_episode(session, ctx, show, episode, end)
    return episode
