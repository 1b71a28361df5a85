"""`export` and `import`: timelines to and from editing programs, as OpenTimelineIO."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from clipmill_cli.commands.options import ApiUrl, State, connected
from clipmill_cli.local import local_files, manifest_file
from clipmill_cli.local.manifest_file import ManifestError
from clipmill_cli.output import terminal

EXPORT = """Write a compilation's timeline as OpenTimelineIO, for an editing program.

    clipmill export c-0123456789abcdef -o friday.otio
    clipmill export c-0123456789abcdef --of main -o main.otio
"""
IMPORT = """Turn an OpenTimelineIO file into a manifest.

Carried are the clips of one video track with their trims, dissolves between them, and music that
Clipmill exported. Everything else is refused by its name: effects, speed changes, gaps, further
video tracks, nested sequences.

    clipmill import friday.otio -o friday.yaml
"""


def export(
    compilation_id: Annotated[str, typer.Argument(metavar="ID", help="Of the form c-...")],
    out: Annotated[Path, typer.Option("-o", "--out", help="File to write.")],
    of: Annotated[str | None, typer.Option(help="Which output; default the first.")] = None,
    state: State = None,
    api_url: ApiUrl = None,
) -> None:
    """The command; its help is EXPORT."""
    with connected(api_url, state) as client:
        out.write_text(client.timeline(compilation_id, of), encoding="utf-8")
    terminal.console().print(terminal.plain(f"written: {out}"))


def import_file(
    timeline: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False)],
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Default: print it.")] = None,
) -> None:
    """The command; its help is IMPORT."""
    from clipmill.otio.clip_mapping import CannotCarry  # noqa: PLC0415  of the extra `local`
    from clipmill.otio.importer import imported  # noqa: PLC0415

    try:
        found = imported(manifest_file.text_of(timeline), name=_name(timeline.stem))
    except CannotCarry as error:
        raise ManifestError(*(f"{timeline.name}: {line}" for line in error.reasons)) from None
    manifest_file.check(_with_stand_ins(found))
    text = yaml.safe_dump(found, sort_keys=False, allow_unicode=True)
    if out is None:
        typer.echo(text, nl=False)
        return
    out.write_text(text, encoding="utf-8")
    terminal.console().print(terminal.plain(f"written: {out}"))


def _with_stand_ins(found: dict[str, Any]) -> dict[str, Any]:
    """The manifest as if its local files were sent up: they need not be on this machine."""
    clips = [
        clip
        if "mediaId" in clip or re.match("https?:", clip["url"], re.IGNORECASE)
        else {name: value for name, value in clip.items() if name != "url"}
        | {"mediaId": local_files.STAND_IN}
        for clip in found["spec"]["clips"]
    ]
    return {**found, "spec": {**found["spec"], "clips": clips}}


def _name(stem: str) -> str:
    """A file's name as a resource's."""
    plain = re.sub(r"[^a-z0-9]+", "-", stem.lower())[:60].strip("-")
    return plain or "timeline"
