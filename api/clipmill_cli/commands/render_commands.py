"""`render` and `plan`: a manifest on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from clipmill_cli.commands.options import (
    AllowAnyHost,
    AllowHost,
    AllowPrivate,
    ApiUrl,
    Format,
    ManifestFile,
    Output,
    State,
    access,
    connected,
    interruptible,
    local,
    print_json,
)
from clipmill_cli.local import local_render
from clipmill_cli.output import terminal

RENDER = """Render a manifest on this machine.

Leaves of each output NAME.mp4 (or .webm), a thumbnail NAME.jpg, NAME-storyboard.png with its
cues NAME.vtt, NAME-chapters.txt and NAME-credits.txt for a description, NAME-manifest.json with
the hashes of all that went in; and report.json. A second run reuses fetched clips and rendered
segments; one that was interrupted goes on.

Exit codes: 0 complete, 3 complete but degraded (clips were skipped), 1 failed, 2 bad manifest or
usage, 130 interrupted.

    clipmill render friday.yaml -o out/
    clipmill render friday.yaml -o out/ --allow-host media.example.org
    clipmill render friday.yaml -o out/ --draft
"""
PLAN = """Show what rendering would do, without doing it: timeline, segments, fetches, quota.

Local files of the manifest are put into the media library, since only a checked file has an exact
length; nothing is fetched and nothing is rendered.

    clipmill plan friday.yaml
    clipmill plan friday.yaml -o json >plan.json
"""


def render(
    manifest: ManifestFile,
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the results.")],
    state: State = None,
    allow_host: AllowHost = [],  # noqa: B006  typer reads it as a default and copies it
    allow_any_host: AllowAnyHost = False,
    allow_private: AllowPrivate = [],  # noqa: B006
    draft: Annotated[
        bool, typer.Option("--draft", help="Small and fast, to look at: quality Draft.")
    ] = False,
    workers: Annotated[int, typer.Option(min=1, max=32, help="Clips fetched at once.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """The command; its help is RENDER."""
    rules = access(allow_host, allow_any_host, allow_private)
    page, err = terminal.console(stderr=as_json), terminal.console(stderr=True)
    with interruptible():
        with_files_sent = local_render.prepare(manifest)
        local_render.writable(out)
        with local(state, rules) as api:
            made = local_render.for_local(with_files_sent(api.user))
            made = local_render.as_draft(made) if draft else made
            terminal.show_plan(page, api.user.dry_run(made))
            with terminal.Live(err) as live:
                view, spent_s = local_render.run(api, made, workers=workers, tell=live)
            report = local_render.leave(api.user, view, out, spent_s)
    terminal.show_end(page, view)
    page.print(terminal.plain(f"  in {out}/: {', '.join(local_render.files_of(report))}", 2000))
    if as_json:
        typer.echo(json.dumps(report, indent=2, ensure_ascii=False))
    raise typer.Exit(local_render.exit_code(view))


def plan(
    manifest: ManifestFile,
    output: Output = Format.TEXT,
    state: State = None,
    api_url: ApiUrl = None,
    allow_host: AllowHost = [],  # noqa: B006
    allow_any_host: AllowAnyHost = False,
    allow_private: AllowPrivate = [],  # noqa: B006
) -> None:
    """The command; its help is PLAN."""
    with_files_sent = local_render.prepare(manifest)
    rules = access(allow_host, allow_any_host, allow_private)
    with connected(api_url, state, rules) as client:
        made = with_files_sent(client)
        found = client.dry_run(made if api_url else local_render.for_local(made))
    if output is Format.JSON:
        print_json(terminal.console(), found)
    else:
        terminal.show_plan(terminal.console(), found)
