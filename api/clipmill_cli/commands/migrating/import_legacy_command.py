"""`admin import-legacy`: users, media, projects and usage of the predecessor."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from clipmill_cli.commands.options import (
    AdminApiUrlOption,
    Format,
    OutputOption,
    checked_name,
    print_json,
)
from clipmill_cli.endpoints.connections import admin_client, checked_url, remote_client
from clipmill_cli.output import terminal
from clipmill_cli.output.import_listing import show_import

EXIT_INCOMPLETE = 3


def import_legacy(
    media: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            exists=True,
            file_okay=False,
            help="The predecessor's storage folder, or a copy of it. Default: no media.",
        ),
    ] = None,
    manifests: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            file_okay=False,
            help="Folder for a manifest of each project, USER/PROJECT.yaml. Default: no projects.",
        ),
    ] = None,
    rename: Annotated[
        list[str],
        typer.Option(
            metavar="OLD=NEW", help="Name here of a user of the predecessor. May be repeated."
        ),
    ] = [],  # noqa: B006  typer copies it
    results: Annotated[
        bool, typer.Option("--results", help="Import finished videos too, as clips.")
    ] = False,
    apply: Annotated[
        bool, typer.Option("--apply", help="Import. Without it, nothing is written.")
    ] = False,
    output: OutputOption = Format.TEXT,
    api_url: AdminApiUrlOption = None,
) -> None:
    """Import users, tiers, media, projects and usage of the predecessor (docs/migration.md).

    Reads the PostgreSQL database at CLIPMILL_LEGACY_DATABASE_URL, in one read-only transaction.
    Without --apply it writes nothing and shows what it would do. What exists already is kept, so
    that a repetition goes on where the first import ended. The exit code is 3 if rows are skipped.

    Examples:
        clipmill admin import-legacy --media old/ --manifests projects/
        clipmill admin import-legacy --media old/ --manifests projects/ --apply -o json
    """
    # Loads the driver of PostgreSQL, which no other command needs.
    from clipmill_cli.legacy_import import import_run  # noqa: PLC0415
    from clipmill_cli.legacy_import.import_target import ImportTarget  # noqa: PLC0415
    from clipmill_cli.legacy_import.legacy_database import VARIABLE, read_legacy  # noqa: PLC0415

    source = os.environ.get(VARIABLE, "").strip()
    if not source:
        raise typer.BadParameter(f"{VARIABLE} is not set: it must hold the predecessor's database")
    options = import_run.ImportOptions(media, manifests, _renamed(rename), results)
    with admin_client(api_url) as client:
        url = checked_url(api_url)
        target = ImportTarget(client.admin, lambda key: remote_client(url, key), dry_run=not apply)
        report = import_run.import_all(read_legacy(source), target, options)
    if output is Format.JSON:
        print_json(terminal.console(), report)
    else:
        show_import(terminal.console(), report)
    if not report.is_complete:
        raise typer.Exit(EXIT_INCOMPLETE)


def _renamed(pairs: list[str]) -> dict[str, str]:
    """Return the new names by the old ones."""
    renamed: dict[str, str] = {}
    for pair in pairs:
        old, equals, new = pair.rpartition("=")
        if not equals or not old:
            raise typer.BadParameter(f"--rename {pair[:80]!r} is not OLD=NEW")
        if new in renamed.values() or old in renamed:
            raise typer.BadParameter(f"--rename {pair[:80]!r}: one of its names is used twice")
        renamed[old] = checked_name(new)
    return renamed
