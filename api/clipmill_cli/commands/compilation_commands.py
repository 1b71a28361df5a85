"""`submit`, `list`, `get`, `watch`, `cancel`, `download`: compilations of an API."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from clipmill.protocol import CompilationView
from clipmill_cli.commands.options import (
    ApiUrl,
    CompilationId,
    Format,
    ManifestFile,
    Output,
    State,
    connected,
    interruptible,
    print_json,
    remote,
)
from clipmill_cli.local import local_render
from clipmill_cli.output import listings, terminal
from clipmill_cli.output.failures import say
from clipmill_client import watching
from clipmill_client.client import Client

SUBMIT = """Submit a manifest to an API.

Local files of the manifest are put into the media library first. With --wait the progress is
shown until the end; Ctrl-C ends the waiting, not the compilation.

Exit codes with --wait: 0 complete, 3 complete but degraded, 1 failed. Always: 2 bad manifest,
1 refused or not reached.

    clipmill submit friday.yaml
    clipmill submit friday.yaml --wait && clipmill download c-0123456789abcdef -o out/
"""
EDIT = """Give a compilation another manifest: only what changed is fetched and rendered.

What is under way ends as superseded; the same manifest again changes nothing.

    clipmill edit c-0123456789abcdef friday.yaml --wait
"""
LIST = """List compilations, newest first.

    clipmill list
    clipmill list --limit 5 -o json
"""
GET = """Show one compilation: state, clips, outputs.

    clipmill get c-0123456789abcdef
    clipmill get c-0123456789abcdef -o json
"""
WATCH = """Show the progress of a compilation until its end.

Exit codes: 0 complete, 3 complete but degraded, 1 failed, 130 interrupted (it goes on).

    clipmill watch c-0123456789abcdef
"""
CANCEL = """Cancel a compilation; one that has ended stays as it ended.

    clipmill cancel c-0123456789abcdef
"""
DOWNLOAD = """Download what a compilation made: videos, all that comes with them, report.json.

    clipmill download c-0123456789abcdef -o out/
"""


Wait = Annotated[bool, typer.Option("--wait", help="Show progress until the end.")]


def submit(
    manifest: ManifestFile,
    wait: Wait = False,
    output: Output = Format.TEXT,
    api_url: ApiUrl = None,
) -> None:
    """The command; its help is SUBMIT."""
    with_files_sent = local_render.prepare(manifest)
    with remote(api_url) as client:
        view = client.create(with_files_sent(client))
        _take_in(client, view, wait, output)


def edit(
    compilation_id: CompilationId,
    manifest: ManifestFile,
    wait: Wait = False,
    output: Output = Format.TEXT,
    api_url: ApiUrl = None,
) -> None:
    """The command; its help is EDIT."""
    with_files_sent = local_render.prepare(manifest)
    with remote(api_url) as client:
        view = client.edit(compilation_id, with_files_sent(client).spec)
        _take_in(client, view, wait, output)


def _take_in(client: Client, view: CompilationView, wait: bool, output: Format) -> None:
    """Say what the API took in; watch it, if that is wanted."""
    said = terminal.console(stderr=output is Format.JSON)
    said.print(f"submitted: {view.id}, generation {view.generation}")
    if wait:
        _finish(client, view.id, output)
    elif output is Format.JSON:
        print_json(terminal.console(), view)
    else:
        said.print(f"  next: clipmill watch {view.id}")


def _finish(client: Client, compilation_id: str, output: Format) -> None:
    """Watch to the end and leave with its exit code."""
    try:
        with interruptible(), terminal.Live(terminal.console(stderr=True)) as live:
            view = watching.follow(client, compilation_id, live)
    except KeyboardInterrupt:
        say((f"interrupted; it goes on at the API: clipmill watch {compilation_id}",))
        raise typer.Exit(130) from None
    _show(terminal.console(), view, output)
    raise typer.Exit(local_render.exit_code(view))


def _show(out: Console, view: CompilationView, output: Format) -> None:
    if output is Format.JSON:
        print_json(out, view)
    else:
        listings.show_view(out, view)


def list_all(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 20,
    output: Output = Format.TEXT,
    state: State = None,
    api_url: ApiUrl = None,
) -> None:
    """The command; its help is LIST."""
    with connected(api_url, state) as client:
        found = watching.paged(client.compilations, limit)
    if output is Format.JSON:
        print_json(terminal.console(), *found, many=True)
    else:
        listings.show_list(terminal.console(), found)


def get(
    compilation_id: CompilationId,
    output: Output = Format.TEXT,
    state: State = None,
    api_url: ApiUrl = None,
) -> None:
    """The command; its help is GET."""
    with connected(api_url, state) as client:
        _show(terminal.console(), client.compilation(compilation_id), output)


def watch(
    compilation_id: CompilationId, output: Output = Format.TEXT, api_url: ApiUrl = None
) -> None:
    """The command; its help is WATCH."""
    with remote(api_url) as client:
        client.compilation(compilation_id)
        _finish(client, compilation_id, output)


def cancel(
    compilation_id: CompilationId,
    output: Output = Format.TEXT,
    state: State = None,
    api_url: ApiUrl = None,
) -> None:
    """The command; its help is CANCEL."""
    with connected(api_url, state) as client:
        _show(terminal.console(), client.cancel(compilation_id), output)


def download(
    compilation_id: CompilationId,
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the files.")],
    state: State = None,
    api_url: ApiUrl = None,
) -> None:
    """The command; its help is DOWNLOAD."""
    local_render.writable(out)
    with connected(api_url, state) as client:
        view = client.compilation(compilation_id)
        if not view.outputs:
            raise watching.NothingMade(f"{view.id} is {view.state}: it has no outputs to download")
        report = local_render.leave(client, view, out, {})
    terminal.console().print(
        terminal.plain(f"in {out}/: {', '.join(local_render.files_of(report))}", 2000)
    )
