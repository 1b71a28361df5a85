"""`render` and `plan`: a manifest on this machine."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from clipmill.protocol import CompilationView
from clipmill.spec import Manifest
from clipmill_cli.commands.options import (
    AllowAnyHostOption,
    AllowHostOption,
    AllowPrivateOption,
    ApiUrlOption,
    Format,
    ManifestArgument,
    OutputOption,
    StateOption,
    StrictOption,
    print_json,
)
from clipmill_cli.endpoints.connections import (
    connected,
    interruptible,
    local_api,
    serve_client,
)
from clipmill_cli.local import local_render, prepared_manifest, result_folder
from clipmill_cli.local.job_starts.fork_server import ForkServer
from clipmill_cli.local.local_api import SourceAccess
from clipmill_cli.output import terminal
from clipmill_cli.output.plan_tables import show_plan
from clipmill_cli.output.progress import LiveProgress
from clipmill_cli.output.summary import show_summary
from clipmill_client.client import Client

Renders = Callable[[Manifest, LiveProgress], tuple[CompilationView, dict[str, float]]]


def render(
    manifest: ManifestArgument,
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the results.")],
    state: StateOption = None,
    allow_host: AllowHostOption = [],  # noqa: B006  typer reads it as a default and copies it
    allow_any_host: AllowAnyHostOption = False,
    allow_private: AllowPrivateOption = [],  # noqa: B006
    strict: StrictOption = False,
    draft: Annotated[
        bool, typer.Option("--draft", help="Render with quality Draft: small and fast.")
    ] = False,
    workers: Annotated[
        int, typer.Option(min=1, max=32, help="Number of clips fetched at once.")
    ] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Print report.json to stdout.")] = False,
) -> None:
    """Render a manifest on this machine.

    Fetched clips and rendered segments are reused by later runs. After an interruption, the same
    command continues. A `clipmill serve` that uses the same state renders in place of this process.

    Files written to the results folder, for each output NAME:
        NAME.mp4 or NAME.webm    the video
        NAME.jpg                 thumbnail
        NAME-storyboard.png      storyboard, with WebVTT cues in NAME.vtt
        NAME-chapters.txt        chapters, for a video description
        NAME-credits.txt         credits, for a video description
        NAME-manifest.json       hashes of the sources, segments and programs
        report.json              report of the whole run

    Exit codes: 0 succeeded, 1 failed, 2 invalid manifest or usage, 3 succeeded but degraded
    (clips were skipped), 130 interrupted.

    Examples:
        clipmill render friday.yaml -o out/
        clipmill render friday.yaml -o out/ --allow-host media.example.org
        clipmill render friday.yaml -o out/ --draft
    """
    access = SourceAccess(
        tuple(allow_host), allow_any_host, tuple(allow_private), refuse_too_long=strict
    )
    stdout, stderr = terminal.console(stderr=as_json), terminal.console(stderr=True)
    with interruptible():
        prepared = prepared_manifest.prepare(manifest)
        result_folder.create_writable(out)
        with _renderer(state, access, workers) as (client, renders):
            resource = prepared_manifest.without_owner(prepared.upload(client))
            resource = prepared_manifest.as_draft(resource) if draft else resource
            with terminal.working(stderr, "planning"):
                estimate = client.dry_run(resource)
            show_plan(stdout, estimate)
            with LiveProgress(stderr) as progress:
                view, spent_s = renders(resource, progress)
            report = result_folder.download_results(client, view, out, spent_s)
    show_summary(stdout, view)
    files = ", ".join(result_folder.file_names(report))
    stdout.print(terminal.plain(f"  files in {out}/: {files}", 2000))
    if as_json:
        typer.echo(json.dumps(report, indent=2, ensure_ascii=False))
    raise typer.Exit(local_render.exit_code(view))


@contextmanager
def _renderer(
    state: Path | None, access: SourceAccess, workers: int
) -> Iterator[tuple[Client, Renders]]:
    """Yield a client and what renders: the serve that uses the state, or this process."""
    serve = serve_client(state, access)
    if serve:
        with serve as client:
            yield client, functools.partial(local_render.render_by_serve, client)
        return
    with ForkServer().preload() as forks, local_api(state, access) as api:
        render_here = functools.partial(local_render.render, workers=workers, fork_server=forks)
        yield api.user, functools.partial(render_here, api)


def plan(
    manifest: ManifestArgument,
    output: OutputOption = Format.TEXT,
    state: StateOption = None,
    api_url: ApiUrlOption = None,
    allow_host: AllowHostOption = [],  # noqa: B006
    allow_any_host: AllowAnyHostOption = False,
    allow_private: AllowPrivateOption = [],  # noqa: B006
    strict: StrictOption = False,
) -> None:
    """Show what a render would do: clips to fetch, timeline, segments, quota.

    Local files of the manifest are uploaded to the media library, because their exact length is
    known only after they are checked. Nothing is fetched or rendered.

    Examples:
        clipmill plan friday.yaml
        clipmill plan friday.yaml -o json >plan.json
    """
    prepared = prepared_manifest.prepare(manifest)
    access = SourceAccess(
        tuple(allow_host), allow_any_host, tuple(allow_private), refuse_too_long=strict
    )
    with connected(api_url, state, access) as client:
        resource = prepared.upload(client)
        if not api_url:
            resource = prepared_manifest.without_owner(resource)
        result = client.dry_run(resource)
    if output is Format.JSON:
        print_json(terminal.console(), result)
    else:
        show_plan(terminal.console(), result)
