"""Tiers of the predecessor as tiers of this installation."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from clipmill.protocol import TierView
from clipmill_cli.legacy_import.import_report import ImportAction, ImportItem
from clipmill_cli.legacy_import.legacy_database import Row

RESOLUTIONS = {
    **{label: label for label in ("720p", "1080p", "1440p", "2160p")},
    "2k": "1440p",
    "4k": "2160p",
}
MAX_FPS = 1000
LIMITS = {
    "storage_limit_bytes": "storage_limit_bytes",
    "render_limit_seconds": "render_time_limit_seconds",
    "max_clips": "max_clips_per_project",
    "max_fps": "max_fps",
}


class TierRequest(NamedTuple):
    """A tier to create, and what is not the same as in its row."""

    view: TierView
    notes: list[str]


def tier_requests(rows: Sequence[Row]) -> dict[int, TierRequest]:
    """Return the tier of each row, by its id. Names that become equal get their id."""
    requests: dict[int, TierRequest] = {}
    for row in rows:
        used = {request.view.name for request in requests.values()}
        requests[row["id"]] = _request(row, used)
    return requests


def _request(row: Row, used: set[str]) -> TierRequest:
    notes: list[str] = []
    name = re.sub(r"^[^A-Za-z]+|[^A-Za-z0-9 _-]", "", row["name"] or "")[:90].strip()
    name = name or f"Tier {row['id']}"
    name = f"{name} {row['id']}" if name in used else name
    if name != row["name"]:
        notes.append(f"named {name} here")
    limits = {field: _limit(row, column, notes) for field, column in LIMITS.items()}
    watermark = row.get("apply_watermark") is not False
    resolution = _resolution(row, notes)
    fields: dict[str, Any] = {"name": name, "apply_watermark": watermark, **limits}
    return TierRequest(TierView(**fields, max_resolution=resolution), notes)


def _limit(row: Row, column: str, notes: list[str]) -> int | None:
    """Return a limit; there 0 meant none, and a limit held although the tier was unlimited."""
    value = row.get(column)
    if value is None:
        return None
    if value <= 0:
        notes.append(f"{column} {value} meant no limit, and is none here")
        return None
    if column == "max_fps" and value > MAX_FPS:
        notes.append(f"max_fps {value} is more than {MAX_FPS}, so there is no such limit here")
        return None
    if row.get("is_unlimited"):
        notes.append(f"is_unlimited did not lift {column} {value}, which is kept")
    return int(value)


def _resolution(row: Row, notes: list[str]) -> Any:
    label = str(row.get("max_output_resolution") or "").lower()
    if label and label not in RESOLUTIONS:
        notes.append(f"max_output_resolution {label!r} is unknown, so there is no such limit here")
    return RESOLUTIONS.get(label)


def effective_tier(row: Row, rows: Sequence[Row]) -> int | None:
    """Return the id of the tier that applied to a user: own, default, Free, any active one."""
    if any(tier["id"] == row.get("tier_id") for tier in rows):
        return int(row["tier_id"])
    active = [tier for tier in rows if tier.get("is_active") is not False]
    ranked = sorted(active, key=lambda tier: (not tier.get("is_default"), tier["name"] != "Free"))
    return int(ranked[0]["id"]) if ranked else None


def tier_item(legacy_id: int, request: TierRequest, existing: Mapping[str, TierView]) -> ImportItem:
    """Return the result for a tier; one that exists here is never changed."""
    same, view = existing.get(request.view.name), request.view
    notes = list(request.notes)
    if same is not None:
        ours, theirs = same.model_dump(), view.model_dump()
        fields = [name for name in theirs if name != "result_days" and ours[name] != theirs[name]]
        notes += [f"{name} is {ours[name]} here and {theirs[name]} there" for name in fields]
    return ImportItem(
        kind="tier",
        legacy_id=legacy_id,
        name=view.name,
        action=ImportAction.CREATE if same is None else ImportAction.KEEP,
        target=view.name,
        reason=None if same is None else "exists",
        notes=notes,
    )
