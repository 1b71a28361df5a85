"""Whose a resource is: the namespace decides, then the submission, then the setting."""

from __future__ import annotations

from clipmill_operator.settings import Settings


class WrongOwner(ValueError):
    """The resource names somebody whose it cannot be; says why."""


def owner_of(
    settings: Settings, *, label: str | None, named: str | None, submission: str | None
) -> str:
    """The owner of a resource. Raises WrongOwner.

    `label`: of the namespace; `named`: spec.owner. A submission's owner is checked by the API,
    which took it from that owner's key.
    """
    if label:
        if named not in (None, label):
            raise WrongOwner(f"spec.owner: {named!r}, but this namespace belongs to {label!r}")
        return label
    if named is not None and submission is not None:
        return named
    if not settings.default_owner:
        raise WrongOwner("the namespace has no label clipmill.dev/owner, and there is no default")
    if named not in (None, settings.default_owner):
        raise WrongOwner(
            f"spec.owner: {named!r} is not {settings.default_owner!r}, the owner of resources in"
            " namespaces without the label clipmill.dev/owner"
        )
    return settings.default_owner


def place_of(settings: Settings, *, asked: str, owner: str, label: str | None) -> str | None:
    """The namespace for a submission; None: the one that it asks for is not its owner's.

    `label`: the owner of the namespace asked for. `default` is what a manifest without one says.
    """
    if label == owner or asked == settings.submissions_to:
        return asked
    return settings.submissions_to if asked == "default" else None
