"""`admin fsck`: compare the blob store with the database."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from clipmill_cli.commands.options import AdminApiUrlOption, Format, OutputOption
from clipmill_cli.endpoints.connections import admin_client
from clipmill_cli.output import terminal
from clipmill_client.privileged_calls import AdminCalls

EXIT_FAULTS = 1
SHOWN_PATHS = 20
FAULTS = ("unknown", "missing", "wrong_size")


def fsck(
    verify: Annotated[
        bool, typer.Option("--verify", help="Read every blob and compare its SHA-256.")
    ] = False,
    remove_unknown: Annotated[
        bool,
        typer.Option(
            "--remove-unknown",
            help="Mark blobs that no row names; they are deleted after the grace period.",
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before marking blobs.")] = False,
    output: OutputOption = Format.TEXT,
    api_url: AdminApiUrlOption = None,
) -> None:
    """Compare the blob store with the database. The exit code is 1 if they differ.

    Examples:
        clipmill admin fsck
        clipmill admin fsck --verify -o json
        clipmill admin fsck --remove-unknown
    """
    with admin_client(api_url) as client:
        report = _report(client.admin, verify=verify)
        if output is Format.TEXT:
            _show(report)
        if remove_unknown and report["unknown"]["count"]:
            _confirm(report, yes=yes)
            reply = client.admin.remove_unknown_blobs(report["installation"])
            report["removal"] = reply.model_dump(mode="json", by_alias=True)
            if output is Format.TEXT:
                typer.echo(f"{reply.marked} blobs are deleted after {reply.delete_after}")
    if output is Format.JSON:
        typer.echo(json.dumps(report, indent=2))
    if not report["consistent"]:
        raise typer.Exit(EXIT_FAULTS)


def _report(admin: AdminCalls, *, verify: bool) -> dict[str, Any]:
    check = admin.check_store()
    report: dict[str, Any] = check.model_dump(mode="json")
    report["consistent"] = check.is_consistent
    if verify:
        damaged = [path for page in admin.verify_store() for path in page.damaged]
        report["damaged"] = {"count": len(damaged), "paths": damaged}
        report["consistent"] = check.is_consistent and not damaged
    return report


def _confirm(report: dict[str, Any], *, yes: bool) -> None:
    count, size = report["unknown"]["count"], report["unknown"]["size_bytes"]
    if not yes:
        typer.confirm(f"Delete {count} blobs of {size} bytes that no row names?", abort=True)


def _show(report: dict[str, Any]) -> None:
    out = terminal.console()
    out.print(terminal.plain(f"installation {report['installation']}"))
    out.print(terminal.plain(f"blobs        {report['blobs']} ({report['size_bytes']} bytes)"))
    out.print(terminal.plain(f"to delete    {report['waiting']}"))
    for name in (*FAULTS, "damaged", "strays"):
        finding = report.get(name, {"count": 0, "paths": []})
        if finding["count"]:
            out.print(terminal.plain(f"{name.replace('_', ' '):12} {finding['count']}"))
        for path in finding["paths"][:SHOWN_PATHS]:
            out.print(terminal.plain(f"  {path}", 200))
