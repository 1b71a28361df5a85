"""Requests to the Clipmill API for one Compilation, and the meaning of their errors."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import ValidationError

from clipmill.protocol import Registration
from clipmill.spec import CompilationSpec
from clipmill.spec.input_rules import input_rule
from clipmill_client.errors import ClientError, PermanentError, RetryableError
from clipmill_client.privileged_calls import OperatorCalls
from clipmill_operator import metrics
from clipmill_operator.errors import OwnerNotAllowed, Requeue
from clipmill_operator.reconciling.actions import PlanResponse, SpecRefusal
from clipmill_operator.reconciling.operator_spans import OperatorSpans
from clipmill_operator.reconciling.ownership import owner_of
from clipmill_operator.reconciling.reconcile_cache import ReconcileCache
from clipmill_operator.reconciling.registration_batches import RegistrationBatches
from clipmill_operator.settings import Settings
from clipmill_operator.watching.namespace_owners import NamespaceOwners
from clipmill_operator.watching.observed import ObservedCompilation

# A shorter outage of the API leaves no trace in the status.
OUTAGE_REPORTED_AFTER_S = 30.0
# Error codes of an API that knows a newer spec than our watch.
STALE_CODES = frozenset({"StaleGeneration", "GenerationConflict", "Ended"})
# Responses by which the API refuses a spec.
REFUSAL_STATUSES = (403, 409, 422)


class Registrar:
    """Registers each generation of a Compilation once, and requests its plan from then on."""

    def __init__(
        self,
        api: OperatorCalls,
        namespaces: NamespaceOwners,
        states: ReconcileCache,
        settings: Settings,
        clock: Callable[[], float],
        spans: OperatorSpans = OperatorSpans(),
    ) -> None:
        self._api, self._namespaces, self._states = api, namespaces, states
        self._spans = spans
        self._settings, self._clock = settings, clock
        self._batches = RegistrationBatches(api)

    def plan(self, compilation: ObservedCompilation) -> PlanResponse:
        """Return the API's response for a Compilation.

        Raises:
            Requeue: The API knows a newer spec.
            KubeError: The namespace cannot be read.
            ClientError: The API cannot be reached, for as long as the outage is short.
        """
        self._states.update_api(compilation.uid, requested_at=self._clock())
        try:
            owner = self._owner(compilation)
        except OwnerNotAllowed as error:
            return PlanResponse(refusal=SpecRefusal("UnknownOwner", str(error)))
        try:
            response = self._request(compilation, owner)
        except ValidationError as error:
            return PlanResponse(refusal=invalid_spec_refusal(error))
        except RetryableError as error:
            return self._outage(compilation.uid, error)
        except PermanentError as error:
            response = self._permanent_error(compilation.uid, owner, error)
        if not response.outage:
            self._states.update_api(compilation.uid, outage_since=None)
        return response

    def _owner(self, compilation: ObservedCompilation) -> str:
        return owner_of(
            self._settings,
            label=self._namespaces.owner(
                compilation.namespace, fresh=not self._is_registered(compilation)
            ),
            spec_owner=compilation.spec.get("owner"),
            submission=compilation.submission,
        )

    def _request(self, compilation: ObservedCompilation, owner: str) -> PlanResponse:
        uid = compilation.uid
        if self._is_registered(compilation):
            return PlanResponse(owner=owner, plan=self._api.plan(uid))
        registration = Registration(
            namespace=compilation.namespace,
            name=compilation.name,
            generation=compilation.generation,
            owner=owner,
            spec=CompilationSpec.model_validate(compilation.spec),
            submission=compilation.submission,
            submission_proof=compilation.submission_proof,
        )
        start = self._spans.now()
        plan = self._batches.register(uid, registration)
        resource = f"{compilation.namespace}/{compilation.name}"
        self._spans.finish(start, plan.traceparent, "register", {"clipmill.resource": resource})
        self._states.update_api(uid, registered=compilation.generation, stage_key=plan.key)
        return PlanResponse(owner=owner, plan=plan)

    def _is_registered(self, compilation: ObservedCompilation) -> bool:
        return self._states.get(compilation.uid).api.registered == compilation.generation

    def _permanent_error(self, uid: str, owner: str, error: PermanentError) -> PlanResponse:
        is_forgotten = error.status == 404 and self._states.get(uid).api.registered
        if error.code in STALE_CODES or is_forgotten:
            self._states.invalidate_registration(uid)
            raise Requeue(error.detail) from error
        if error.status not in REFUSAL_STATUSES or error.code == "Forbidden":
            return self._outage(uid, error)
        self._states.invalidate_registration(uid)
        return PlanResponse(owner=owner, refusal=SpecRefusal(error.code, error.detail))

    def _outage(self, uid: str, error: ClientError) -> PlanResponse:
        """Raise the error of a short outage; return a response once it has lasted."""
        metrics.API_ERRORS.inc()
        now = self._clock()
        since = self._states.get(uid).api.outage_since
        since = now if since is None else since
        self._states.update_api(uid, outage_since=since)
        if now - since < OUTAGE_REPORTED_AFTER_S:
            raise error
        return PlanResponse(outage=f"Clipmill API: {error}")


def invalid_spec_refusal(error: ValidationError) -> SpecRefusal:
    """Return the refusal of a spec that the models do not accept, by its first error."""
    first = error.errors()[0]
    field = ".".join(str(step) for step in first["loc"])
    rule = input_rule(dict(first), first["loc"], CompilationSpec)
    return SpecRefusal("InvalidSpec", f"spec.{field}: {rule}")
