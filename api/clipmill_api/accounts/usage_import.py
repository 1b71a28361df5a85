"""Add the render time that users of another system have used there."""

from __future__ import annotations

from datetime import UTC

from clipmill.protocol import ImportedUsage, UsageImport, UsageImportReply
from clipmill_api.database import Session
from clipmill_api.http.problem_details import not_found
from clipmill_api.queries import quota_ledger, users_and_keys
from clipmill_api.tables import RenderUsageRow

# Such an entry has no generation of ours; the generations of compilations begin at 1.
GENERATION = 0


def import_usage(session: Session, owner: str, request: UsageImport) -> UsageImportReply:
    """Add the entries that the user does not have yet, each to the month of its creation."""
    if users_and_keys.find_user(session, owner) is None:
        raise not_found("user", owner)
    quota_ledger.lock_owner(session, owner)
    existing = quota_ledger.existing_usage(session, [entry.id for entry in request.entries])
    entries = {entry.id: entry for entry in request.entries if entry.id not in existing}
    if not request.dry_run:
        for entry in entries.values():
            _add(session, owner, entry)
    return UsageImportReply(created=len(entries), existing=len(request.entries) - len(entries))


def _add(session: Session, owner: str, entry: ImportedUsage) -> None:
    created_at = entry.created_at.astimezone(UTC)
    quota_ledger.add_used_seconds(session, owner, f"{created_at:%Y-%m}", entry.seconds)
    row = RenderUsageRow(
        compilation_id=entry.id,
        generation=GENERATION,
        owner=owner,
        seconds=entry.seconds,
        created_at=created_at,
    )
    quota_ledger.add_usage(session, row)
