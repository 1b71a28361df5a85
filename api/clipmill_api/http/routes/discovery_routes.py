"""Routes of discover tasks: claim, heartbeat and result."""

from __future__ import annotations

from fastapi import APIRouter

from clipmill.protocol import Heartbeat, HeartbeatReply
from clipmill.shows.candidates import DiscoverAssignment, DiscoverClaim, DiscoverResult
from clipmill_api.context import Ctx
from clipmill_api.database import Session
from clipmill_api.http.authentication import DiscoverPrincipal
from clipmill_api.http.bodies.yaml_bodies import YamlRoute
from clipmill_api.http.episode_keys import add_episode_key
from clipmill_api.http.job_access import require_task
from clipmill_api.shows import discover_tasks

router = APIRouter(route_class=YamlRoute, prefix="/api/jobs/discovery", tags=["discovery"])


@router.post("/claim")
def claim_discovery(
    ctx: Ctx, principal: DiscoverPrincipal, claim: DiscoverClaim
) -> DiscoverAssignment:
    """Claim the discover task of an episode under a lease, with the credentials of its sources."""

    def claim_with_key(session: Session) -> DiscoverAssignment:
        assignment = discover_tasks.claim_discovery(session, ctx, principal, claim)
        _, episode = discover_tasks.lock_both(session, assignment.episode_id)
        key = add_episode_key(session, ctx, episode, epoch=assignment.epoch)
        return assignment.model_copy(update={"key": key})

    return ctx.db.write(claim_with_key)


@router.post("/heartbeat")
def send_discovery_heartbeat(
    ctx: Ctx, principal: DiscoverPrincipal, heartbeat: Heartbeat
) -> HeartbeatReply:
    """Renew the lease of a discover task; the reply says whether to go on."""
    require_task(principal, index=heartbeat.index, epoch=heartbeat.epoch)
    return ctx.db.write(
        lambda session: discover_tasks.record_discovery_heartbeat(
            session, ctx, principal, heartbeat
        )
    )


@router.put("/result", status_code=204)
def report_discovery(ctx: Ctx, principal: DiscoverPrincipal, result: DiscoverResult) -> None:
    """Report the candidates of an episode, or why there are none."""
    require_task(principal, index=0, epoch=result.epoch)
    ctx.db.write(lambda session: discover_tasks.record_discovery(session, ctx, principal, result))
