"""What those ask who keep the place running: the operator, and the administrator."""

from __future__ import annotations

from clipmill.protocol import (
    Active,
    CompilationView,
    FailedTasks,
    KeyReply,
    KeyRequest,
    Plan,
    Refusal,
    Registered,
    Registration,
    Stage,
    Submission,
    TierView,
    UserView,
)
from clipmill_client.http_transport import Wire


class OperatorCalls:
    """What the operator asks: registering generations, keys for their jobs, news of dead pods."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def register(
        self, uid: str, registration: Registration, *, with_key: bool = False
    ) -> Registered:
        """Tell of a generation; answers its plan. Raises PermanentError with code and numbers.

        `with_key`: and the key of its first stage, if it was not known before.
        """
        where, asked = f"/api/operator/compilations/{uid}", {"with_key": with_key}
        return self._wire.ask(Registered, "PUT", where, body=registration, params=asked)

    def plan(self, uid: str) -> Plan:
        """The plan of the current generation."""
        return self._wire.ask(Plan, "GET", f"/api/operator/compilations/{uid}")

    def view(self, uid: str) -> CompilationView:
        """Status of the current generation."""
        return self._wire.ask(CompilationView, "GET", f"/api/operator/compilations/{uid}/status")

    def active(self, limit: int = 100) -> list[Active]:
        """Compilations that have not ended, oldest first."""
        found = self._wire.send("GET", "/api/operator/active", params={"limit": limit}).json()
        return [Active.model_validate(one) for one in found]

    def submissions(self) -> list[Submission]:
        """Resources that are to be made, changed or deleted, at most 100."""
        found = self._wire.send("GET", "/api/operator/submissions").json()
        return [Submission.model_validate(one) for one in found]

    def refused(self, submission_id: str, why: Refusal) -> None:
        """No resource can be made of a submission."""
        where = f"/api/operator/submissions/{submission_id}/refused"
        self._wire.send("POST", where, body=why)

    def gone(self, uid: str) -> None:
        """The resource was deleted: cancel, free keys and quota."""
        self._wire.send("DELETE", f"/api/operator/compilations/{uid}")

    def mint(self, uid: str, stage: Stage, generation: int) -> str:
        """A fresh key for one stage's pods."""
        where = f"/api/operator/compilations/{uid}/keys"
        body = KeyRequest(stage=stage, generation=generation)
        return self._wire.ask(KeyReply, "POST", where, body=body).key

    def failed(self, uid: str, tasks: FailedTasks) -> Plan:
        """Parts whose pods will not be tried again."""
        return self._wire.ask(Plan, "POST", f"/api/operator/compilations/{uid}/failed", body=tasks)


class AdminCalls:
    """Users and tiers."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def put_user(self, user: UserView) -> UserView:
        """Create a user or move it to another tier."""
        return self._wire.ask(UserView, "PUT", f"/api/admin/users/{user.name}", body=user)

    def users(self) -> list[UserView]:
        """All users by name."""
        return [
            UserView.model_validate(u) for u in self._wire.send("GET", "/api/admin/users").json()
        ]

    def put_tier(self, tier: TierView) -> TierView:
        """Create or change a tier."""
        return self._wire.ask(TierView, "PUT", f"/api/admin/tiers/{tier.name}", body=tier)

    def tiers(self) -> list[TierView]:
        """All tiers by name."""
        return [
            TierView.model_validate(t) for t in self._wire.send("GET", "/api/admin/tiers").json()
        ]

    def mint(self, user: str) -> str:
        """A fresh key for a user, shown once. Not asked again: a second key would be about."""
        reply = self._wire.once("POST", f"/api/admin/users/{user}/keys")
        return KeyReply.model_validate_json(reply.content).key
