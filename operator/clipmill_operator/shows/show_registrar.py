"""Registration of Shows with the Clipmill API, and the meaning of its errors."""

from __future__ import annotations

from pydantic import ValidationError

from clipmill.shows.show_messages import ShowRegistration, ShowView
from clipmill.shows.show_spec import ShowSpec
from clipmill_client.errors import PermanentError
from clipmill_client.privileged_calls import OperatorCalls
from clipmill_operator.errors import OwnerNotAllowed, Requeue
from clipmill_operator.reconciling.actions import SpecRefusal
from clipmill_operator.reconciling.ownership import owner_of
from clipmill_operator.reconciling.registrar import (
    REFUSAL_STATUSES,
    STALE_CODES,
    invalid_spec_refusal,
)
from clipmill_operator.settings import Settings
from clipmill_operator.shows.show_memory import ShowMemory
from clipmill_operator.watching.namespace_owners import NamespaceOwners
from clipmill_operator.watching.observed import ObservedShow


class ShowRegistrar:
    """Registers each generation of a Show once."""

    def __init__(
        self,
        api: OperatorCalls,
        namespaces: NamespaceOwners,
        memory: ShowMemory,
        settings: Settings,
    ) -> None:
        self._api, self._namespaces = api, namespaces
        self._memory, self._settings = memory, settings

    def view(self, show: ObservedShow) -> ShowView | SpecRefusal:
        """Return the API's view of a Show, or why its spec is refused.

        Raises:
            Requeue: The API has a newer generation.
            KubeError: The namespace cannot be read.
            ClientError: The API cannot be reached.
        """
        refusal = self._memory.refusal(show.uid, show.generation)
        if refusal:
            return refusal
        view = self._memory.view(show.uid)
        try:
            if view is not None and _is_current(view, self._registration(show, fresh=False)):
                return view
            registration = self._registration(show, fresh=True)
        except OwnerNotAllowed as error:
            self._end(show)
            return self._refuse(show, SpecRefusal("UnknownOwner", str(error)))
        except ValidationError as error:
            self._suspend(show)
            return self._refuse(show, invalid_spec_refusal(error))
        if view is not None and view.owner != registration.owner:
            self._end(show)
        return self._register(show, registration)

    def _registration(self, show: ObservedShow, *, fresh: bool) -> ShowRegistration:
        """Return what to register. Raises OwnerNotAllowed, ValidationError, KubeError."""
        owner = owner_of(
            self._settings,
            label=self._namespaces.owner(show.namespace, fresh=fresh),
            spec_owner=show.spec.get("owner"),
            submission=None,
        )
        return ShowRegistration(
            namespace=show.namespace,
            name=show.name,
            generation=show.generation,
            owner=owner,
            spec=ShowSpec.model_validate(show.spec),
        )

    def _register(
        self, show: ObservedShow, registration: ShowRegistration
    ) -> ShowView | SpecRefusal:
        try:
            view = self._api.shows.register(show.uid, registration)
        except PermanentError as error:
            if error.code in STALE_CODES:
                raise Requeue(error.detail) from error
            if error.status not in REFUSAL_STATUSES or error.code == "Forbidden":
                raise
            return self._refuse(show, SpecRefusal(error.code, error.detail))
        self._memory.store(show.uid, view)
        return view

    def _refuse(self, show: ObservedShow, refusal: SpecRefusal) -> SpecRefusal:
        self._memory.refuse(show.uid, show.generation, refusal)
        return refusal

    def _end(self, show: ObservedShow) -> None:
        """Delete the show of an owner to whom the namespace does not belong any more."""
        if self._memory.view(show.uid) is not None:
            self._api.shows.delete(show.uid)
            self._memory.forget(show.uid)

    def _suspend(self, show: ObservedShow) -> None:
        """Suspend the generation before one that is refused: a person has replaced it."""
        view = self._memory.view(show.uid)
        if view is None or view.spec.suspend or view.generation >= show.generation:
            return
        suspended = ShowRegistration(
            namespace=show.namespace,
            name=show.name,
            generation=show.generation,
            owner=view.owner,
            spec=view.spec.model_copy(update={"suspend": True}),
        )
        self._memory.store(show.uid, self._api.shows.register(show.uid, suspended))


def _is_current(view: ShowView, registration: ShowRegistration) -> bool:
    return (view.generation, view.owner, view.spec) == (
        registration.generation,
        registration.owner,
        registration.spec,
    )
