"""Users of the predecessor as users of this installation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from clipmill.protocol import UserView
from clipmill_cli.errors import CommandError
from clipmill_cli.legacy_import.import_report import ImportAction, ImportItem
from clipmill_cli.legacy_import.legacy_database import Row
from clipmill_cli.legacy_import.legacy_names import distinct, slug
from clipmill_cli.legacy_import.tier_import import TierRequest, effective_tier

FIRST_TIER = "Free"


def user_names(rows: Sequence[Row], renamed: Mapping[str, str]) -> dict[int, str]:
    """Return the name here of each user, by id: as `renamed` says, else made of the old one.

    Raises:
        CommandError: `renamed` names a user who does not exist.
    """
    unknown = sorted(renamed.keys() - {row["username"] for row in rows})
    if unknown:
        raise CommandError(f"--rename {unknown[0][:80]!r}: the predecessor has no such user")
    names = {row["id"]: renamed[row["username"]] for row in rows if row["username"] in renamed}
    for row in rows:
        if row["id"] not in names:
            name = slug(row["username"] or "", f"user-{row['id']}")
            names[row["id"]] = distinct(name, row["id"], set(names.values()))
    return names


def user_item(
    row: Row, request: UserView, existing: Mapping[str, UserView], *, apply_watermark: bool
) -> ImportItem:
    """Return the result for a user; one who exists here keeps tier and everything else."""
    same = existing.get(request.name)
    notes = _notes(row, request, apply_watermark=apply_watermark)
    if same is not None and same.tier != request.tier:
        notes.append(f"the tier is {same.tier} here and {request.tier} there")
    return ImportItem(
        kind="user",
        legacy_id=row["id"],
        name=row["username"],
        action=ImportAction.CREATE if same is None else ImportAction.KEEP,
        target=request.name,
        reason=None if same is None else "exists; for another person of that name use --rename",
        notes=notes,
    )


def _notes(row: Row, request: UserView, *, apply_watermark: bool) -> list[str]:
    notes = []
    if request.name != row["username"]:
        notes.append(f"named {request.name} here")
    if row.get("is_active") is False:
        notes.append("was not active: create no key")
    if str(row.get("role") or "").lower() == "admin":
        notes.append("was an administrator, who has the administrator's key here")
    if row.get("watermark_disabled") and apply_watermark:
        notes.append(f"had no watermark; tier {request.tier} has one")
    return notes


def user_request(
    row: Row, name: str, tier_rows: Sequence[Row], tiers: Mapping[int, TierRequest]
) -> tuple[UserView, bool]:
    """Return the user to create, and whether the tier applies a watermark."""
    tier_id = effective_tier(row, tier_rows)
    if tier_id is None:
        return UserView(name=name, tier=FIRST_TIER), True
    view = tiers[tier_id].view
    return UserView(name=name, tier=view.name), view.apply_watermark
