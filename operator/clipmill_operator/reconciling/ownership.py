"""The owner of a Compilation: by the namespace's label, the submission, or the default. Pure."""

from __future__ import annotations

from clipmill_operator.errors import OwnerNotAllowed
from clipmill_operator.settings import Settings


def owner_of(
    settings: Settings, *, label: str | None, spec_owner: str | None, submission: str | None
) -> str:
    """Return the owner of a Compilation.

    Args:
        settings: They name the default owner.
        label: Owner of the namespace by its label.
        spec_owner: The spec's field `owner`.
        submission: Id of the submission that it was created for. The API checks its owner.

    Raises:
        OwnerNotAllowed: The namespace does not allow the owner, or there is none.
    """
    if label:
        if spec_owner not in (None, label):
            raise OwnerNotAllowed(
                f"spec.owner is {spec_owner!r}: this namespace belongs to {label!r}"
            )
        return label
    if spec_owner is not None and submission is not None:
        return spec_owner
    default = settings.default_owner
    if not default:
        raise OwnerNotAllowed(
            "the namespace has no label clipmill.dev/owner, and there is no default owner"
        )
    if spec_owner not in (None, default):
        raise OwnerNotAllowed(
            f"spec.owner is {spec_owner!r}: without the label clipmill.dev/owner on the namespace"
            f" only {default!r} is allowed"
        )
    return default


def submission_namespace(
    settings: Settings, *, requested: str, owner: str, label: str | None
) -> str | None:
    """Return the namespace for a submission, or None if its owner may not use the requested one.

    Args:
        settings: They name the namespace for submissions that name none.
        requested: Namespace of the submission; `default` if its manifest names none.
        owner: Owner of the submission.
        label: Owner of the requested namespace by its label.
    """
    if label == owner or requested == settings.submissions_namespace:
        return requested
    return settings.submissions_namespace if requested == "default" else None
