"""SQL of the installation's id, which the blob store holds as well."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from clipmill_api.queries.statements import upsert
from clipmill_api.tables import InstallationRow

ONLY_ROW = 1


def installation_id(session: Session, new_id: str, at: datetime) -> str:
    """Return the id of the database's installation: the new one, if it has none."""
    values = {"number": ONLY_ROW, "id": new_id, "created_at": at}
    session.execute(upsert(session, InstallationRow).values(**values).on_conflict_do_nothing())
    return session.scalars(select(InstallationRow.id)).one()


def set_installation_id(session: Session, installation: str) -> None:
    """Replace the id of the database's installation."""
    session.execute(update(InstallationRow).values(id=installation))


def find_installation_id(session: Session) -> str:
    """Return the id of the database's installation."""
    return session.scalars(select(InstallationRow.id)).one()
