"""Render time of the predecessor in the usage of its users."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

from clipmill.protocol import ImportedUsage, UsageImport
from clipmill_cli.legacy_import.import_report import ImportAction, ImportItem
from clipmill_cli.legacy_import.import_target import ImportTarget
from clipmill_cli.legacy_import.legacy_database import Row

BATCH = 500
MAX_SECONDS = 10**9


def usage_fault(row: Row) -> str | None:
    """Return why a row cannot be imported."""
    seconds = row["seconds_used"]
    if seconds is None or not 0 <= seconds <= MAX_SECONDS:
        return f"seconds_used {seconds} is no render time"
    created_at = row["created_at"]
    if not isinstance(created_at, datetime):
        return "it has no created_at"
    return None if 2000 <= created_at.year <= 9000 else f"created_at {created_at} is no such time"


def usage_items(
    target: ImportTarget, user: str, rows: Sequence[Row], *, exists: bool
) -> list[ImportItem]:
    """Import the usage of a user. Return an item for each bad row, and one for all others."""
    faults = {row["id"]: usage_fault(row) for row in rows}
    entries = [_entry(row) for row in rows if faults[row["id"]] is None]
    items = [
        ImportItem(kind="usage", legacy_id=key, name=user, action=ImportAction.SKIP, reason=reason)
        for key, reason in faults.items()
        if reason
    ]
    return [*items, *_sums(target, user, entries, exists=exists)]


def _sums(
    target: ImportTarget, user: str, entries: Sequence[ImportedUsage], *, exists: bool
) -> list[ImportItem]:
    """Return at most two items: how many entries are new, and how many exist."""
    created = existing = 0
    for first in range(0, len(entries), BATCH):
        batch = list(entries[first : first + BATCH])
        request = UsageImport(dry_run=target.dry_run, entries=batch)
        if exists:
            reply = target.admin.import_usage(user, request)
            created, existing = created + reply.created, existing + reply.existing
        else:
            created += len(batch)
    counts = ((ImportAction.CREATE, created, None), (ImportAction.KEEP, existing, "exist"))
    return [
        ImportItem(
            kind="usage",
            legacy_id=None,
            name=f"{user}: {count} entries",
            action=action,
            target=user,
            reason=reason,
        )
        for action, count, reason in counts
        if count
    ]


def _entry(row: Row) -> ImportedUsage:
    """Return an entry whose id is the same in every import of the row."""
    created_at = row["created_at"]
    if created_at.tzinfo is None:
        created_at = created_at.replace(tzinfo=UTC)
    identity = "|".join(
        str(row.get(column)) for column in ("id", "user_id", "project_id", "seconds_used")
    )
    digest = hashlib.sha256(f"{identity}|{created_at.isoformat()}".encode()).hexdigest()
    return ImportedUsage(
        id=f"l-{digest[:32]}", seconds=round(row["seconds_used"]), created_at=created_at
    )
