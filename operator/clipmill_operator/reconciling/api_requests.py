"""Asking the API about one resource, and what its errors mean: refused, not now, or out of date."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import ValidationError

from clipmill.protocol import Registration
from clipmill.spec import CompilationSpec
from clipmill_client.errors import ClientError, PermanentError, RetryableError
from clipmill_client.privileged_calls import OperatorCalls
from clipmill_operator import metrics
from clipmill_operator.reconciling.decide import Answer
from clipmill_operator.reconciling.observed import Wish
from clipmill_operator.reconciling.ownership import WrongOwner, owner_of
from clipmill_operator.reconciling.reconcile_state import Standing
from clipmill_operator.reconciling.status import Refusal
from clipmill_operator.settings import Settings
from clipmill_operator.watching.namespace_owners import Namespaces

TROUBLE_S = 30.0
"""An API that does not answer is told of after this."""
STALE = frozenset({"StaleGeneration", "GenerationConflict", "Ended"})
"""Codes of an API that knows more than our watch."""


class Again(Exception):
    """What was read is not the newest: look again soon."""


class Asking:
    """Registers a generation once, and from then on asks for its plan."""

    def __init__(
        self,
        api: OperatorCalls,
        namespaces: Namespaces,
        settings: Settings,
        clock: Callable[[], float],
    ) -> None:
        self._api, self._namespaces = api, namespaces
        self._settings, self._clock = settings, clock

    def __call__(self, wish: Wish, known: Standing) -> Answer:
        """The answer. Raises Again, KubeError, and ClientError for as long as that may be short."""
        known.asked_at = self._clock()
        try:
            owner = self._owner(wish)
            answer = self._answer(wish, owner, known)
        except (WrongOwner, ValidationError) as error:
            return Answer(refusal=_refusal(error))
        except RetryableError as error:
            return self._trouble(known, error)
        except PermanentError as error:
            forgotten = error.status == 404 and known.registered
            if error.code in STALE or forgotten:
                known.registered = 0
                raise Again(error.detail) from error
            if error.status not in (403, 409, 422) or error.code == "Forbidden":
                return self._trouble(known, error)
            known.registered = 0
            answer = Answer(owner=owner, refusal=Refusal(error.code, error.detail))
        known.trouble_since = None
        return answer

    def _owner(self, wish: Wish) -> str:
        return owner_of(
            self._settings,
            label=self._namespaces.owner(wish.namespace),
            named=wish.spec.get("owner"),
            submission=wish.submission,
        )

    def _answer(self, wish: Wish, owner: str, known: Standing) -> Answer:
        if known.registered == wish.generation:
            return Answer(owner=owner, plan=self._api.plan(wish.uid))
        spec = CompilationSpec.model_validate(wish.spec)
        registration = Registration(
            namespace=wish.namespace,
            name=wish.name,
            generation=wish.generation,
            owner=owner,
            spec=spec,
            submission=wish.submission,
        )
        plan = self._api.register(wish.uid, registration, with_key=True)
        known.registered, known.key = wish.generation, plan.key
        return Answer(owner=owner, plan=plan)

    def _trouble(self, known: Standing, error: ClientError) -> Answer:
        """Nothing for a while: a short outage leaves no trace. Then a word in the status."""
        since = known.trouble_since = known.trouble_since or self._clock()
        metrics.API_ERRORS.inc()
        if self._clock() - since < TROUBLE_S:
            raise error
        return Answer(trouble=f"the API: {error}")


def _refusal(error: WrongOwner | ValidationError) -> Refusal:
    if isinstance(error, WrongOwner):
        return Refusal("UnknownOwner", str(error))
    first = error.errors()[0]
    field = ".".join(str(step) for step in first["loc"])
    return Refusal("InvalidSpec", f"spec.{field}: {first['msg'].removeprefix('Value error, ')}")
