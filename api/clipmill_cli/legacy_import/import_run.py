"""One import from the beginning to the end, or its dry run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from clipmill.protocol import UserView
from clipmill_cli.legacy_import.import_report import ImportAction, ImportItem, ImportReport
from clipmill_cli.legacy_import.import_target import ImportTarget
from clipmill_cli.legacy_import.legacy_database import LegacyData
from clipmill_cli.legacy_import.legacy_files import LegacyFiles
from clipmill_cli.legacy_import.legacy_schema import TIERS, USERS
from clipmill_cli.legacy_import.media_import import MediaImport
from clipmill_cli.legacy_import.project_import import ProjectImport
from clipmill_cli.legacy_import.render_usage_import import usage_items
from clipmill_cli.legacy_import.rows_by_user import RowsByUser, ownerless_items
from clipmill_cli.legacy_import.tier_import import TierRequest, tier_item, tier_requests
from clipmill_cli.legacy_import.user_import import user_item, user_names, user_request


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """Choices of the person who imports.

    Attributes:
        media: Copy of the predecessor's storage folder; None for no media.
        manifests: Folder for the manifests of projects; None for none.
        renamed: Names here of users, by their names there.
        with_results: Whether finished videos are imported as clips.
    """

    media: Path | None = None
    manifests: Path | None = None
    renamed: Mapping[str, str] = field(default_factory=dict)
    with_results: bool = False


def import_all(data: LegacyData, target: ImportTarget, options: ImportOptions) -> ImportReport:
    """Import tiers, users, media, projects and usage. What exists is never changed.

    Raises:
        ClientError: The API cannot be reached; the same import again goes on from there.
    """
    rows_of = RowsByUser(data)
    tiers = tier_requests(data.rows[TIERS])
    items = _import_tiers(target, tiers)
    existing = {user.name: user for user in target.admin.users()}
    names = user_names(data.rows[USERS], options.renamed)
    items += _import_users(target, data, names, tiers, existing)
    here = existing.keys() if target.dry_run else {*names.values()}
    files = LegacyFiles(options.media) if options.media else None
    media = MediaImport(target, files, with_results=options.with_results)
    projects = ProjectImport(options.manifests, dry_run=target.dry_run)
    for user_id, name in names.items():
        own, exists = rows_of.user(user_id), name in here
        imported = media.add_library(name, own.media, exists=exists)
        items += imported.items
        items += projects.add_projects(name, own.projects, rows_of.clips, imported.ids)
        items += usage_items(target, name, own.usage, exists=exists)
    items += ownerless_items(data, names)
    return ImportReport(dry_run=target.dry_run, items=items, omitted_tables=data.omitted)


def _import_tiers(target: ImportTarget, tiers: Mapping[int, TierRequest]) -> list[ImportItem]:
    existing = {tier.name: tier for tier in target.admin.tiers()}
    items = [tier_item(key, request, existing) for key, request in tiers.items()]
    for item, request in zip(items, tiers.values(), strict=True):
        if item.action is ImportAction.CREATE and not target.dry_run:
            target.admin.put_tier(request.view)
    return items


def _import_users(
    target: ImportTarget,
    data: LegacyData,
    names: Mapping[int, str],
    tiers: Mapping[int, TierRequest],
    existing: Mapping[str, UserView],
) -> list[ImportItem]:
    items: list[ImportItem] = []
    for row in data.rows[USERS]:
        request, watermark = user_request(row, names[row["id"]], data.rows[TIERS], tiers)
        item = user_item(row, request, existing, apply_watermark=watermark)
        if item.action is ImportAction.CREATE and not target.dry_run:
            target.admin.put_user(request)
        items.append(item)
    return items
