"""SQL of credentials. A row belongs to one owner and is never read for another."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.orm import Session

from clipmill.protocol.integrations.credential_models import CredentialKind
from clipmill_api.queries.statements import row_count
from clipmill_api.tables import CredentialRow

# Kinds that fetches of clips use.
FETCH_KINDS = (CredentialKind.COOKIES.value, CredentialKind.PROXY.value)


def find_credential(session: Session, owner: str, name: str) -> CredentialRow | None:
    """Return a credential of an owner."""
    return session.get(CredentialRow, (owner, name))


def lock_credential(session: Session, owner: str, name: str) -> CredentialRow | None:
    """Return a credential of an owner, locked until the transaction ends."""
    return session.get(CredentialRow, (owner, name), with_for_update=True)


_OF_OWNER = (
    select(CredentialRow)
    .where(CredentialRow.owner == bindparam("of_owner"))
    .order_by(CredentialRow.name)
)
_OF_KINDS = _OF_OWNER.where(CredentialRow.kind.in_(bindparam("kinds", expanding=True)))


def list_credentials(
    session: Session, owner: str, kinds: Sequence[str] = ()
) -> list[CredentialRow]:
    """Return the credentials of an owner by name, all or those of some kinds."""
    if not kinds:
        return list(session.scalars(_OF_OWNER, {"of_owner": owner}))
    return list(session.scalars(_OF_KINDS, {"of_owner": owner, "kinds": list(kinds)}))


def count_credentials(session: Session, owner: str) -> int:
    """Return how many credentials an owner has."""
    query = select(func.count()).where(CredentialRow.owner == owner)
    return session.execute(query.select_from(CredentialRow)).scalar_one()


def add_credential(session: Session, row: CredentialRow) -> None:
    """Insert a credential."""
    session.add(row)
    session.flush()


def delete_credential(session: Session, owner: str, name: str) -> bool:
    """Delete a credential. Return False if there was none."""
    rows = delete(CredentialRow).where(CredentialRow.owner == owner, CredentialRow.name == name)
    return row_count(session.execute(rows)) > 0


def mark_used(row: CredentialRow, at: datetime) -> None:
    """Record the use of a credential, with the precision that list shows."""
    row.last_used_at = at


def list_names(session: Session) -> list[tuple[str, str]]:
    """Return owner and name of every credential."""
    query = select(CredentialRow.owner, CredentialRow.name)
    return [(owner, name) for owner, name in session.execute(query)]
