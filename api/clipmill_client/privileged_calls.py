"""Calls of the operator and of the administrator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from clipmill.protocol import (
    ActiveCompilation,
    CompilationView,
    CreatedKey,
    FailedTasks,
    KeyReply,
    KeyRequest,
    KeyView,
    MediaPage,
    Plan,
    RegisteredPlan,
    Registration,
    Stage,
    Submission,
    SubmissionAction,
    SubmissionRefusal,
    TierView,
    UsageImport,
    UsageImportReply,
    UserView,
)
from clipmill.protocol.integrations.credential_models import KeyRotation
from clipmill.protocol.operator_messages import (
    IdentifiedRegistration,
    OwnerUsage,
    RegistrationBatch,
    RegistrationReply,
)
from clipmill.protocol.store_reports import (
    RemovalReply,
    RemovalRequest,
    StoreCheck,
    StoreVerification,
)
from clipmill_client.api_connection import BYTES_TIMEOUT, ApiConnection
from clipmill_client.errors import ClientError, PermanentError, error_of_response
from clipmill_client.show_operator_calls import ShowOperatorCalls

ROOT = "/api/operator"


def _plan_or_error(reply: RegistrationReply) -> RegisteredPlan | ClientError:
    if reply.plan is not None:
        return reply.plan
    refusal = reply.refusal
    if refusal is None:
        return PermanentError("BadReply", "the reply holds neither a plan nor a refusal")
    return error_of_response(refusal.status, refusal.model_dump(), refusal.detail)


class OperatorCalls:
    """Calls with the operator's key: registrations, keys of jobs, failed tasks, and `shows`."""

    def __init__(self, connection: ApiConnection) -> None:
        self._connection = connection
        self.shows = ShowOperatorCalls(connection)

    def register(
        self, uid: str, registration: Registration, *, with_key: bool = False
    ) -> RegisteredPlan:
        """Register a generation of a resource and return its plan.

        Args:
            uid: The resource's uid.
            registration: Its generation and spec. Registering the same again changes nothing.
            with_key: Return the key of the first stage too, if the generation is new.

        Raises:
            PermanentError: The spec is refused; `code` and `facts` say why.
        """
        path, params = f"{ROOT}/compilations/{uid}", {"with_key": with_key}
        return self._connection.request_as(
            RegisteredPlan, "PUT", path, body=registration, params=params
        )

    def register_many(
        self, registrations: Sequence[tuple[str, Registration]]
    ) -> list[RegisteredPlan | ClientError]:
        """Register generations of several resources, each with the key of its first stage.

        Args:
            registrations: At most 100 pairs of the resource's uid and its registration.

        Returns:
            The plan of each, or the error that refused it.

        Raises:
            ClientError: The request as a whole failed.
        """
        items = [IdentifiedRegistration(uid=uid, registration=each) for uid, each in registrations]
        path, batch = f"{ROOT}/registrations", RegistrationBatch(registrations=items)
        replies = self._connection.request_as(list[RegistrationReply], "POST", path, body=batch)
        if len(replies) != len(items):
            detail = f"{path}: {len(replies)} replies to {len(items)} registrations"
            raise PermanentError("BadReply", detail)
        return [_plan_or_error(reply) for reply in replies]

    def plan(self, uid: str) -> Plan:
        """Return the plan of the newest generation."""
        return self._connection.request_as(Plan, "GET", f"{ROOT}/compilations/{uid}")

    def view(self, uid: str) -> CompilationView:
        """Return state, progress and outputs of the newest generation."""
        path = f"{ROOT}/compilations/{uid}/status"
        return self._connection.request_as(CompilationView, "GET", path)

    def active_compilations(self, limit: int = 100) -> list[ActiveCompilation]:
        """Return compilations that have not ended, oldest first."""
        path, params = f"{ROOT}/active", {"limit": limit}
        return self._connection.request_as(list[ActiveCompilation], "GET", path, params=params)

    def recent_usage(self, owners: Sequence[str]) -> dict[str, int]:
        """Return the render seconds that owners, 200 at most, have used in the last 24 hours."""
        path, params = f"{ROOT}/usage", {"owner": list(owners)}
        usage = self._connection.request_as(list[OwnerUsage], "GET", path, params=params)
        return {each.owner: each.seconds for each in usage}

    def submissions(self, action: SubmissionAction | None = None) -> list[Submission]:
        """Return at most 100 resources to create, change or delete, oldest first.

        Args:
            action: Only those with this action.
        """
        path, params = f"{ROOT}/submissions", {"action": action} if action else {}
        return self._connection.request_as(list[Submission], "GET", path, params=params)

    def refuse_submission(self, submission_id: str, refusal: SubmissionRefusal) -> None:
        """Report that no resource can be created for a submission, which fails it."""
        path = f"{ROOT}/submissions/{submission_id}/refused"
        self._connection.request("POST", path, body=refusal)

    def delete(self, uid: str) -> None:
        """Report a deleted resource: cancel it, revoke its keys and release its quota."""
        self._connection.request("DELETE", f"{ROOT}/compilations/{uid}")

    def create_key(self, uid: str, stage: Stage, generation: int) -> str:
        """Create a key for the pods of one stage; it replaces the stage's earlier key."""
        path = f"{ROOT}/compilations/{uid}/keys"
        body = KeyRequest(stage=stage, generation=generation)
        return self._connection.request_as(KeyReply, "POST", path, body=body).key

    def report_failed_tasks(self, uid: str, tasks: FailedTasks) -> Plan:
        """Report tasks that Kubernetes retries no more; return the plan that follows."""
        path = f"{ROOT}/compilations/{uid}/failed"
        return self._connection.request_as(Plan, "POST", path, body=tasks)


class AdminCalls:
    """Calls with the administrator's key: users, tiers and keys of users."""

    def __init__(self, connection: ApiConnection) -> None:
        self._connection = connection

    def put_user(self, user: UserView) -> UserView:
        """Create a user, or move one to another tier; without one, a user keeps theirs."""
        path = f"/api/admin/users/{user.name}"
        return self._connection.request_as(UserView, "PUT", path, body=user)

    def users(self) -> list[UserView]:
        """Return all users, by name."""
        return self._connection.request_as(list[UserView], "GET", "/api/admin/users")

    def put_tier(self, tier: TierView) -> TierView:
        """Create or replace a tier."""
        path = f"/api/admin/tiers/{tier.name}"
        return self._connection.request_as(TierView, "PUT", path, body=tier)

    def tiers(self) -> list[TierView]:
        """Return all tiers, by name."""
        return self._connection.request_as(list[TierView], "GET", "/api/admin/tiers")

    def rotate_credentials(self) -> KeyRotation:
        """Encrypt all stored secrets with the first key of the settings."""
        path = "/api/admin/credentials/rotate"
        return self._connection.request_as(KeyRotation, "POST", path)

    def check_store(self) -> StoreCheck:
        """Return how the blob store differs from the database."""
        path = "/api/admin/store"
        return self._connection.request_as(StoreCheck, "GET", path, timeout=BYTES_TIMEOUT)

    def verify_store(self) -> Iterator[StoreVerification]:
        """Yield pages of verified blobs until all were read."""
        after: str | None = ""
        while after is not None:
            page = self._connection.request_as(
                StoreVerification,
                "GET",
                "/api/admin/store/verification",
                params={"after": after},
                timeout=BYTES_TIMEOUT,
            )
            yield page
            after = page.next

    def remove_unknown_blobs(self, installation: str) -> RemovalReply:
        """Mark blobs that no row names; they are deleted at the end of the grace period."""
        body, path = RemovalRequest(installation=installation), "/api/admin/store/removal"
        return self._connection.request_as(
            RemovalReply, "POST", path, body=body, timeout=BYTES_TIMEOUT
        )

    def delete_user(self, name: str) -> None:
        """Delete a user who has no active compilation, with everything that is theirs."""
        self._connection.request("DELETE", f"/api/admin/users/{name}")

    def keys(self, user: str) -> list[KeyView]:
        """Return the keys of a user, newest first, without their secrets."""
        path = f"/api/admin/users/{user}/keys"
        return self._connection.request_as(list[KeyView], "GET", path)

    def revoke_key(self, user: str, key_id: str) -> None:
        """Revoke a key of a user at once."""
        self._connection.request("DELETE", f"/api/admin/users/{user}/keys/{key_id}")

    def create_key(self, user: str, *, expires_in_s: int | None = None) -> str:
        """Create a key for a user and return it; the API does not show it again.

        The request is not retried, because each repetition would create another key.
        """
        return self.new_key(user, expires_in_s=expires_in_s).key

    def new_key(self, user: str, *, expires_in_s: int | None = None) -> CreatedKey:
        """Create a key for a user and return it with its id; as `create_key`, never retried."""
        body = {} if expires_in_s is None else {"expiresInSeconds": expires_in_s}
        path = f"/api/admin/users/{user}/keys"
        response = self._connection.request_once("POST", path, json=body)
        return CreatedKey.model_validate_json(response.content)

    def media(self, user: str, cursor: str | None = None, limit: int = 200) -> MediaPage:
        """Return a page of a user's media library, newest first."""
        path = f"/api/admin/users/{user}/media"
        params = {"limit": limit, **({"cursor": cursor} if cursor else {})}
        return self._connection.request_as(MediaPage, "GET", path, params=params)

    def import_usage(self, user: str, usage: UsageImport) -> UsageImportReply:
        """Add render time of another system; entries that the user has already are kept."""
        path = f"/api/admin/users/{user}/usage"
        return self._connection.request_as(UsageImportReply, "POST", path, body=usage)
