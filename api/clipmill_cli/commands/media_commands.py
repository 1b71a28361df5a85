"""`validate` and the media library: `media upload`, `media list`, `media delete`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated

import typer

from clipmill.protocol import MediaFacts, MediaKind
from clipmill.protocol.result_files import MADE_KINDS
from clipmill_cli.commands.options import (
    ApiUrl,
    Format,
    MediaIds,
    Output,
    State,
    connected,
    print_json,
)
from clipmill_cli.output import listings, terminal
from clipmill_cli.output.failures import say
from clipmill_client import watching
from clipmill_client.errors import PermanentError
from clipmill_probe import MediaError, check, check_image

VALIDATE = """Check a video: there, not empty, readable, decodable to its end.

Looks at a file of this machine, or at a file of a media library by its id. It is the check that
every upload and every fetched clip goes through: with --kind music a file of sound alone will do,
with --kind image it is to be a PNG, JPEG or WebP.

Exit codes: 0 it is good, 1 it is not, 2 usage.

    clipmill validate clip.mp4
    clipmill validate track.mp3 --kind music
    clipmill validate m-0123456789abcdef -o json
"""
MEDIA = """The media library: clips, intros, outros, transition clips.

    clipmill media upload intro.mp4 --kind intro
    clipmill media list
    clipmill media delete m-0123456789abcdef
"""
UPLOAD = """Put files into the media library; the same bytes again are the same media.

    clipmill media upload intro.mp4 --kind intro
    clipmill media upload a.mp4 b.mp4 -o json
"""
LIST = """List the media library, newest first.

    clipmill media list
    clipmill media list --limit 5 -o json
"""
DELETE = """Delete media that no compilation uses.

    clipmill media delete m-0123456789abcdef
"""
USED_IN = """Show which results play a media file, newest first.

    clipmill media used-in m-0123456789abcdef
"""
MEDIA_ID = re.compile(r"m-[a-z0-9]{4,40}")
MADE = (MediaKind.COMPILATION, *MADE_KINDS)
Kind = Annotated[
    MediaKind,
    typer.Option(metavar="KIND", help="What it is for, such as intro, music or image."),
]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")]


def validate(
    what: Annotated[str, typer.Argument(metavar="FILE|MEDIA_ID", help="What to check.")],
    kind: Kind = MediaKind.CLIP,
    output: Output = Format.TEXT,
    state: State = None,
    api_url: ApiUrl = None,
) -> None:
    """The command; its help is VALIDATE."""
    try:
        facts = _facts(what, kind, state, api_url)
    except (MediaError, PermanentError) as error:
        if isinstance(error, PermanentError) and error.status != 422:
            raise
        _bad(what, error, output)
        raise typer.Exit(1) from None
    if output is Format.JSON:
        found = {"valid": True, **facts.model_dump(mode="json", by_alias=True)}
        typer.echo(json.dumps(found, indent=2))
    else:
        terminal.console().print(terminal.plain(f"{what}: good. {listings.facts_text(facts)}", 500))


def _facts(what: str, kind: MediaKind, state: Path | None, api_url: str | None) -> MediaFacts:
    path = Path(what)
    if MEDIA_ID.fullmatch(what) and not path.exists():
        with connected(api_url, state) as client:
            return client.validate_media(what)
    if path.is_dir():
        raise MediaError("NotMedia", f"{what}: is a folder, not a file")
    if kind is MediaKind.IMAGE:
        return check_image(path)
    return check(path, sound=kind is MediaKind.MUSIC)


def _bad(what: str, error: MediaError | PermanentError, output: Format) -> None:
    if output is Format.JSON:
        typer.echo(json.dumps({"valid": False, "code": error.code, "message": str(error)}))
    shown = str(error) if Path(what).name in str(error) else f"{what}: {error}"
    say((f"{shown} [{error.code}]",))


def upload(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", exists=True, dir_okay=False)],
    kind: Kind = MediaKind.CLIP,
    output: Output = Format.TEXT,
    state: State = None,
    api_url: ApiUrl = None,
) -> None:
    """The command; its help is UPLOAD."""
    empty = next((file for file in files if not file.stat().st_size), None)
    if empty:
        raise MediaError("Empty", f"{empty}: the file is empty")
    with connected(api_url, state) as client:
        found = [client.upload_media(file, kind) for file in files]
    if output is Format.JSON:
        print_json(terminal.console(), *found, many=True)
    else:
        listings.show_media(terminal.console(), found)


def list_all(
    limit: Limit = 20, output: Output = Format.TEXT, state: State = None, api_url: ApiUrl = None
) -> None:
    """The command; its help is LIST."""
    with connected(api_url, state) as client:
        found = watching.paged(client.library, limit)
    if output is Format.JSON:
        print_json(terminal.console(), *found, many=True)
    else:
        listings.show_media(terminal.console(), found)


def used_in(
    media_id: Annotated[str, typer.Argument(metavar="MEDIA_ID", help="Of the form m-...")],
    output: Output = Format.TEXT,
    state: State = None,
    api_url: ApiUrl = None,
) -> None:
    """The command; its help is USED_IN."""
    with connected(api_url, state) as client:
        found = client.used_in(media_id)
    if output is Format.JSON:
        print_json(terminal.console(), *found, many=True)
    else:
        listings.show_uses(terminal.console(), found)


def delete(
    media_ids: MediaIds,
    state: State = None,
    api_url: ApiUrl = None,
) -> None:
    """The command; its help is DELETE."""
    with connected(api_url, state) as client:
        for media_id in media_ids:
            client.delete_media(media_id)
            terminal.console().print(terminal.plain(f"deleted {media_id}"))
