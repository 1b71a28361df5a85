"""`discover` and `show run`: a show on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from clipmill.shows.show_messages import EpisodeState
from clipmill_cli.commands.options import (
    AllowAnyHostOption,
    AllowHostOption,
    AllowPrivateOption,
    Format,
    OutputOption,
    StateOption,
    print_json,
)
from clipmill_cli.endpoints.connections import interruptible, local_api
from clipmill_cli.errors import RunError
from clipmill_cli.local import local_render, prepared_manifest, result_folder, show_run
from clipmill_cli.local.local_api import SourceAccess
from clipmill_cli.output import show_listings, terminal
from clipmill_cli.output.progress import LiveProgress
from clipmill_cli.output.summary import show_summary

ShowArgument = Annotated[
    Path, typer.Argument(metavar="SHOW", help="A Show in YAML, as for `kubectl apply`.")
]
WorkersOption = Annotated[int, typer.Option(min=1, max=32, help="Number of clips fetched at once.")]


def discover(
    manifest: ShowArgument,
    every: Annotated[
        bool, typer.Option("--all", help="List each clip that is not taken, with its reason.")
    ] = False,
    output: OutputOption = Format.TEXT,
    state: StateOption = None,
    allow_host: AllowHostOption = [],  # noqa: B006  typer reads it as a default and copies it
    allow_any_host: AllowAnyHostOption = False,
    allow_private: AllowPrivateOption = [],  # noqa: B006
) -> None:
    """Show which clips an episode of a show would take now, and why not the others.

    The sources are queried on this machine; nothing is fetched or rendered, and no clip counts as
    played. Credentials are those of the state folder.

    Exit codes: 0 enough clips, 1 too few or a source failed, 2 invalid manifest or usage.

    Examples:
        clipmill discover weekly.yaml
        clipmill discover weekly.yaml --all -o json
    """
    access = SourceAccess(tuple(allow_host), allow_any_host, tuple(allow_private))
    prepared = prepared_manifest.prepare_show(manifest)
    with interruptible(), local_api(state, access) as api:
        show = show_run.store_show(api.user, prepared.upload(api.user))
        report = show_run.discover(api, api.user.shows.preview(show.id))
    if output is Format.JSON:
        print_json(terminal.console(), report)
    else:
        show_listings.show_report(terminal.console(), report, every=every)
    is_complete = report.taken >= show.spec.select.minimum and report.state is EpisodeState.SKIPPED
    raise typer.Exit(0 if is_complete else 1)


def run_local_show(
    manifest: ShowArgument,
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the results.")],
    state: StateOption = None,
    allow_host: AllowHostOption = [],  # noqa: B006
    allow_any_host: AllowAnyHostOption = False,
    allow_private: AllowPrivateOption = [],  # noqa: B006
    workers: WorkersOption = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Print report.json to stdout.")] = False,
) -> None:
    """Make one episode of a show on this machine, now.

    Its clips are found, fetched and rendered. The schedule is ignored; clips that an earlier run
    with the same state folder has played are not taken again. The files are those of `render`, and
    EPISODE.yaml: the manifest of the episode, which can be edited and rendered again. With
    approval Required, the episode is a draft, and that manifest renders it in full quality.

    Exit codes: 0 succeeded, 1 failed or too few clips, 2 invalid manifest or usage, 3 succeeded
    but degraded (clips were skipped), 130 interrupted.

    Examples:
        clipmill show run weekly.yaml -o out/
    """
    access = SourceAccess(tuple(allow_host), allow_any_host, tuple(allow_private))
    stdout, stderr = terminal.console(stderr=as_json), terminal.console(stderr=True)
    prepared = prepared_manifest.prepare_show(manifest)
    with interruptible():
        result_folder.create_writable(out)
        with local_api(state, access) as api:
            show = show_run.store_show(api.user, prepared.upload(api.user))
            episode = show_run.discover(api, api.user.shows.run(show.id))
            show_listings.show_report(stdout, episode, every=False)
            if episode.compilation_id is None:
                raise RunError(f"{episode.name} has no video: {episode.reason}: {episode.message}")
            written = show_run.write_manifest(api, episode, out)
            with LiveProgress(stderr) as progress:
                view, spent_s = show_run.render_episode(
                    api, episode, workers=workers, on_progress=progress
                )
            report = result_folder.download_results(api.user, view, out, spent_s)
    show_summary(stdout, view)
    files = ", ".join([*result_folder.file_names(report), written.name])
    stdout.print(terminal.plain(f"  files in {out}/: {files}", 2000))
    if as_json:
        typer.echo(json.dumps(report, indent=2, ensure_ascii=False))
    raise typer.Exit(local_render.exit_code(view))
