"""Commands on the compilations of an API: `submit`, `edit`, `list`, `cancel` and the like."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from clipmill.protocol import (
    TERMINAL_STATES,
    CompilationFilter,
    CompilationState,
    CompilationView,
)
from clipmill_cli.commands.options import (
    ApiUrlOption,
    CompilationIdArgument,
    Format,
    LimitOption,
    ManifestArgument,
    OutputOption,
    RequiredApiUrlOption,
    StateOption,
    print_json,
    print_list,
)
from clipmill_cli.commands.show_commands import submit_show
from clipmill_cli.endpoints.connections import connected, interruptible, user_client
from clipmill_cli.local import local_render, manifest_file, prepared_manifest, result_folder
from clipmill_cli.output import listings, terminal
from clipmill_cli.output.failures import EXIT_FAILED, EXIT_INTERRUPTED, print_errors
from clipmill_cli.output.progress import LiveProgress
from clipmill_client import watching
from clipmill_client.client import Client
from clipmill_client.errors import RetryableError

WaitOption = Annotated[bool, typer.Option("--wait", help="Show the progress until the end.")]

OnlyOption = Annotated[
    list[CompilationState] | None,
    typer.Option("--only", metavar="STATE", help="Only those in this state. May be repeated."),
]
NameOption = Annotated[str | None, typer.Option(metavar="NAME", help="Only those of this name.")]


def submit(
    manifest: ManifestArgument,
    wait: WaitOption = False,
    output: OutputOption = Format.TEXT,
    api_url: RequiredApiUrlOption = None,
) -> None:
    """Submit a manifest to an API: a Compilation, or a Show that makes them by a schedule.

    Local files of the manifest are uploaded to the media library first. With --wait, the progress
    is shown until the end; Ctrl-C ends the waiting, not the compilation. While the API is away,
    it is tried again for five minutes. A Show of the same name is replaced.

    Exit codes: 0 submitted, 1 refused or API not reachable, 2 invalid manifest or usage. With
    --wait: 0 succeeded, 1 failed, 3 succeeded but degraded, 130 interrupted.

    Examples:
        clipmill submit friday.yaml
        clipmill submit friday.yaml --wait && clipmill download friday -o out/
    """
    prepared = prepared_manifest.prepare_any(manifest)
    if isinstance(prepared, prepared_manifest.PreparedShow):
        submit_show(prepared, output, api_url)
        return
    with user_client(api_url) as client:
        view = client.create(prepared.upload(client))
        _show_submitted(client, view, wait, output)


def edit(
    compilation_id: CompilationIdArgument,
    manifest: ManifestArgument,
    wait: WaitOption = False,
    output: OutputOption = Format.TEXT,
    api_url: RequiredApiUrlOption = None,
) -> None:
    """Replace the manifest of a compilation; only what changed is fetched and rendered.

    A generation in progress ends with the state Superseded. An unchanged manifest has no effect.

    Examples:
        clipmill edit friday friday.yaml --wait
    """
    prepared = prepared_manifest.prepare(manifest)
    with user_client(api_url) as client:
        compilation = watching.find_compilation(client, compilation_id)
        view = client.edit(compilation.id, prepared.upload(client).spec)
        _show_submitted(client, view, wait, output)


def _show_submitted(client: Client, view: CompilationView, wait: bool, output: Format) -> None:
    out = terminal.console(stderr=output is Format.JSON)
    out.print(f"submitted: {view.id}, generation {view.generation}")
    if wait:
        _watch_and_exit(client, view.id, output)
    elif output is Format.JSON:
        print_json(terminal.console(), view)
    else:
        out.print(f"  next: clipmill watch {view.id}")


def _watch_and_exit(client: Client, compilation_id: str, output: Format) -> None:
    """Show the progress until the end, then exit with the compilation's exit code."""
    try:
        with interruptible(), LiveProgress(terminal.console(stderr=True)) as progress:
            view = local_render.follow_through_outages(client, compilation_id, progress)
    except KeyboardInterrupt:
        command = f"clipmill watch {compilation_id}"
        print_errors((f"interrupted; the compilation continues, see: {command}",))
        raise typer.Exit(EXIT_INTERRUPTED) from None
    except RetryableError as error:
        command = f"clipmill watch {compilation_id}"
        print_errors((f"{error}; when it answers again, run: {command} [{error.code}]",))
        raise typer.Exit(EXIT_FAILED) from None
    _show_view(terminal.console(), view, output)
    raise typer.Exit(local_render.exit_code(view))


def _show_view(out: Console, view: CompilationView, output: Format) -> None:
    if output is Format.JSON:
        print_json(out, view)
    else:
        listings.show_compilation(out, view)


def list_compilations(
    limit: LimitOption = 20,
    only: OnlyOption = None,
    name: NameOption = None,
    output: OutputOption = Format.TEXT,
    state: StateOption = None,
    api_url: ApiUrlOption = None,
) -> None:
    """List compilations, newest first.

    Examples:
        clipmill list
        clipmill list --only Failed --only Rendering
        clipmill list --limit 5 -o json
    """
    filters = CompilationFilter(state=only or [], name=name)
    with connected(api_url, state) as client:
        pages = functools.partial(client.compilations, filters=filters)
        views = watching.read_pages(pages, limit)
    print_list(output, views, listings.show_compilations)


def get(
    compilation_id: CompilationIdArgument,
    output: OutputOption = Format.TEXT,
    state: StateOption = None,
    api_url: ApiUrlOption = None,
) -> None:
    """Show one compilation: state, clips, outputs.

    Examples:
        clipmill get friday
        clipmill get c-0123456789abcdef -o json
    """
    with connected(api_url, state) as client:
        _show_view(terminal.console(), watching.find_compilation(client, compilation_id), output)


def print_manifest(
    compilation_id: CompilationIdArgument,
    output: OutputOption = Format.TEXT,
    state: StateOption = None,
    api_url: ApiUrlOption = None,
) -> None:
    """Print the manifest of a compilation in YAML, such as an episode of a show, to edit it.

    Examples:
        clipmill manifest friday >friday.yaml
    """
    with connected(api_url, state) as client:
        view = watching.find_compilation(client, compilation_id)
        name, spec = view.name, client.spec(view.id)
    if output is Format.JSON:
        print_json(terminal.console(), manifest_file.manifest_of(name, spec))
    else:
        typer.echo(manifest_file.manifest_text(name, spec), nl=False)


def watch(
    compilation_id: CompilationIdArgument,
    output: OutputOption = Format.TEXT,
    api_url: RequiredApiUrlOption = None,
) -> None:
    """Show the progress of a compilation until its end.

    While the API is away, the command says so and tries again for five minutes.

    Exit codes: 0 succeeded, 1 failed, 3 succeeded but degraded, 130 interrupted (the compilation
    continues).

    Examples:
        clipmill watch friday
    """
    with user_client(api_url) as client:
        compilation = watching.find_compilation(client, compilation_id)
        _watch_and_exit(client, compilation.id, output)


def cancel(
    compilation_id: CompilationIdArgument,
    output: OutputOption = Format.TEXT,
    state: StateOption = None,
    api_url: ApiUrlOption = None,
) -> None:
    """Cancel a compilation; one that has ended does not change.

    Examples:
        clipmill cancel friday
    """
    with connected(api_url, state) as client:
        compilation = watching.find_compilation(client, compilation_id)
        view = client.cancel(compilation.id)
        if compilation.state in TERMINAL_STATES:
            print_errors((f"{view.name} has ended already: {view.state}",))
        _show_view(terminal.console(), view, output)


def delete(
    compilation_id: CompilationIdArgument,
    only: Annotated[
        str | None, typer.Option("--output-name", metavar="NAME", help="Only this output.")
    ] = None,
    output: OutputOption = Format.TEXT,
    state: StateOption = None,
    api_url: ApiUrlOption = None,
) -> None:
    """Delete a compilation with its videos, or one of its outputs.

    An active compilation is cancelled, and its resource in a cluster is deleted. The bytes are
    deleted after the grace period of deletions. Clips of the library stay.

    Examples:
        clipmill delete friday
    """
    with connected(api_url, state) as client:
        view = watching.find_compilation(client, compilation_id)
        if only is None:
            client.results.delete(view.id)
        else:
            client.results.delete_output(view.id, only)
    if output is Format.JSON:
        print_json(terminal.console(), view)
    else:
        terminal.console().print(f"deleted: {view.id}" + (f", output {only}" if only else ""))


def download(
    compilation_id: CompilationIdArgument,
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the files.")],
    state: StateOption = None,
    api_url: ApiUrlOption = None,
) -> None:
    """Download the results of a compilation: videos, their companion files, report.json.

    Examples:
        clipmill download friday -o out/
    """
    result_folder.create_writable(out)
    with connected(api_url, state) as client:
        view = watching.find_compilation(client, compilation_id)
        if not view.outputs:
            raise watching.NoOutputs(f"{view.id} is {view.state}: it has no outputs to download")
        report = result_folder.download_results(client, view, out, {})
    files = ", ".join(result_folder.file_names(report))
    terminal.console().print(terminal.plain(f"files in {out}/: {files}", 2000))
