"""`export` and `import`: timelines for editing programs, as OpenTimelineIO."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from clipmill_cli.commands.options import ApiUrlOption, CompilationIdArgument, StateOption
from clipmill_cli.endpoints.connections import connected
from clipmill_cli.errors import ManifestError
from clipmill_cli.local import local_files, manifest_file
from clipmill_cli.output import terminal
from clipmill_client import watching

MAX_NAME_CHARS = 60


def export(
    compilation_id: CompilationIdArgument,
    out: Annotated[Path, typer.Option("-o", "--out", help="File to write.")],
    of: Annotated[str | None, typer.Option(help="Name of the output. Default: the first.")] = None,
    state: StateOption = None,
    api_url: ApiUrlOption = None,
) -> None:
    """Write a compilation's timeline as OpenTimelineIO, for an editing program.

    Examples:
        clipmill export friday -o friday.otio
        clipmill export friday --of main -o main.otio
    """
    with connected(api_url, state) as client:
        compilation = watching.find_compilation(client, compilation_id)
        out.write_text(client.timeline(compilation.id, of), encoding="utf-8")
    terminal.console().print(terminal.plain(f"written: {out}"))


def import_timeline(
    timeline: Annotated[
        Path,
        typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="OpenTimelineIO file."),
    ],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="File to write. Default: stdout.")
    ] = None,
) -> None:
    """Convert an OpenTimelineIO file to a manifest.

    Supported are the clips of one video track with their trims, dissolves between them, and music
    that Clipmill exported. Anything else is refused and named: effects, speed changes, gaps,
    further video tracks, nested sequences.

    Examples:
        clipmill import friday.otio -o friday.yaml
    """
    from clipmill.otio.clip_mapping import OtioImportError  # noqa: PLC0415  of the extra `local`
    from clipmill.otio.importer import import_otio  # noqa: PLC0415

    try:
        text = manifest_file.read_text(timeline)
        manifest = import_otio(text, name=_resource_name(timeline.stem))
    except OtioImportError as error:
        raise ManifestError(*(f"{timeline.name}: {line}" for line in error.reasons)) from None
    manifest_file.validate(_with_placeholders(manifest))
    text = yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True)
    if out is None:
        typer.echo(text, nl=False)
        return
    out.write_text(text, encoding="utf-8")
    terminal.console().print(terminal.plain(f"written: {out}"))


def _with_placeholders(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return the manifest with placeholders for local files, which need not exist here."""
    clips = [_with_placeholder(clip) for clip in manifest["spec"]["clips"]]
    return {**manifest, "spec": {**manifest["spec"], "clips": clips}}


def _with_placeholder(clip: dict[str, Any]) -> dict[str, Any]:
    if "mediaId" in clip or re.match("https?:", clip["url"], re.IGNORECASE):
        return clip
    without_url = {name: value for name, value in clip.items() if name != "url"}
    return without_url | {"mediaId": local_files.PLACEHOLDER_ID}


def _resource_name(stem: str) -> str:
    """Return a file's name as a valid name of a resource."""
    name = re.sub(r"[^a-z0-9]+", "-", stem.lower())[:MAX_NAME_CHARS].strip("-")
    return name or "timeline"
