"""The API's side of a discover task: hands out one assignment and keeps what it is sent."""

from __future__ import annotations

from clipmill.protocol import Directive, Heartbeat, HeartbeatReply
from clipmill.shows.candidates import DiscoverAssignment, DiscoverClaim, DiscoverResult
from fake_sources.replies import Asked, Reply, json_reply

ROOT = "/api/jobs/discovery"


class DiscoverApi:
    """Responds to claim, heartbeat and result of one episode's task."""

    def __init__(self, assignment: DiscoverAssignment, key: str) -> None:
        self.assignment = assignment
        self.key = key
        self.claims: list[DiscoverClaim] = []
        self.heartbeats: list[Heartbeat] = []
        self.results: list[DiscoverResult] = []
        self.bodies: list[bytes] = []
        self.directive = Directive.CONTINUE
        self.result_status = 200

    def respond(self, asked: Asked) -> Reply | None:
        """Return a response, or None if this is no path of the API."""
        if not asked.path.startswith(ROOT):
            return None
        step = asked.path.removeprefix(f"{ROOT}/")
        expected = self.key if step == "claim" else self.assignment.key
        if asked.headers.get("authorization") != f"Bearer {expected}":
            return json_reply(401, {"code": "Unauthorized", "detail": "the key is not valid"})
        self.bodies.append(asked.body)
        if step == "claim":
            self.claims.append(DiscoverClaim.model_validate_json(asked.body))
            return json_reply(200, self.assignment.model_dump(mode="json", by_alias=True))
        if step == "heartbeat":
            self.heartbeats.append(Heartbeat.model_validate_json(asked.body))
            reply = HeartbeatReply(directive=self.directive, lease_s=60)
            return json_reply(200, reply.model_dump(mode="json", by_alias=True))
        if self.result_status != 200:
            return json_reply(self.result_status, {"code": "LeaseLost", "detail": "claimed again"})
        self.results.append(DiscoverResult.model_validate_json(asked.body))
        return json_reply(200, {})
