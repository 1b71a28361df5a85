"""Play shows: specs, candidates, and the API calls of a discover pod."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from clipmill.shows.candidates import ClipCandidate, DiscoverResult, SourceReport
from clipmill.shows.show_messages import ShowRegistration, ShowView
from clipmill.shows.show_spec import ShowSpec
from clipmill_client.client import Client
from harness import SMALL, Harness
from pods import url

FEED = {"feed": {"url": "https://example.org/clips.xml"}}
LIBRARY = {"library": {}}


def show_spec(**fields: Any) -> ShowSpec:
    """Return the spec of a show of every minute with a feed; fields can be replaced."""
    template = {"outputs": [SMALL]}
    return ShowSpec.model_validate(
        {"schedule": "* * * * *", "sources": [FEED], "template": template, **fields}
    )


def register_show(
    api: Harness, by: str, *, uid: str = "", name: str = "weekly", **fields: Any
) -> ShowView:
    """Register a Show resource as the operator does."""
    registration = ShowRegistration(
        namespace="default",
        name=name,
        generation=fields.pop("generation", 1),
        owner=by,
        spec=show_spec(**fields),
    )
    return api.operator.shows.register(uid or uuid.uuid4().hex, registration)


def clips(count: int, **fields: Any) -> list[ClipCandidate]:
    """Return candidates of clips that no episode has played, the one with most views first."""
    return [
        ClipCandidate(url=url(), source=0, views=1000 - i, title=f"Clip {i}", **fields)
        for i in range(count)
    ]


def discover_pod(api: Harness, episode_id: str) -> Client:
    """Return a client with a new key of an episode."""
    return api.client(api.operator.shows.create_key(episode_id))


def discover(
    api: Harness,
    episode_id: str,
    candidates: Sequence[ClipCandidate],
    sources: Sequence[SourceReport] = (),
) -> None:
    """Play a discover task that found these candidates."""
    pod = discover_pod(api, episode_id)
    assignment = pod.discovery.claim("pod")
    reports = sources or [
        SourceReport(source=query.source, returned=len(candidates)) for query in assignment.queries
    ]
    result = DiscoverResult(
        epoch=assignment.epoch, candidates=list(candidates), sources=list(reports)
    )
    pod.discovery.result(result)
