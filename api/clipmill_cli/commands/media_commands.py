"""`validate`, and the media library: `upload`, `cancel-upload`, `list`, `used-in`, `delete`."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import Annotated

import typer

from clipmill.protocol import MediaFacts, MediaKind
from clipmill_cli.commands.options import (
    ApiUrlOption,
    Format,
    LimitOption,
    MediaIdArgument,
    MediaIdsArgument,
    OutputOption,
    StateOption,
    print_list,
)
from clipmill_cli.endpoints.connections import connected
from clipmill_cli.output import listings, terminal
from clipmill_cli.output.failures import print_errors
from clipmill_cli.output.file_uploads import FileUploads
from clipmill_client import watching
from clipmill_client.errors import PermanentError
from clipmill_client.transfer import library_request
from clipmill_probe import MediaError, probe_image, probe_media

MEDIA_ID = re.compile(r"m-[a-z0-9]{4,40}")
KindOption = Annotated[
    MediaKind,
    typer.Option(metavar="KIND", help="Kind of the media: clip, intro, music, image, ..."),
]


def validate(
    target: Annotated[
        str, typer.Argument(metavar="FILE|MEDIA_ID", help="A local file, or a media id m-...")
    ],
    kind: KindOption = MediaKind.CLIP,
    output: OutputOption = Format.TEXT,
    state: StateOption = None,
    api_url: ApiUrlOption = None,
) -> None:
    """Check that a video is not empty, has a supported format and can be decoded to its end.

    Uploads and fetched clips pass the same check, except that their pictures are judged where
    they play, when they are rendered. With --kind music, an audio file is valid too; with
    --kind image, only a PNG, JPEG or WebP file is.

    Exit codes: 0 valid, 1 not valid, 2 usage.

    Examples:
        clipmill validate clip.mp4
        clipmill validate track.mp3 --kind music
        clipmill validate m-0123456789abcdef -o json
    """
    try:
        facts = _facts(target, kind, state, api_url)
    except (MediaError, PermanentError) as error:
        if isinstance(error, PermanentError) and error.status != 422:
            raise
        _show_invalid(target, error, output)
        raise typer.Exit(1) from None
    if output is Format.JSON:
        result = {"valid": True, **facts.model_dump(mode="json", by_alias=True)}
        typer.echo(json.dumps(result, indent=2))
    else:
        line = f"{target}: valid: {listings.facts_text(facts)}"
        terminal.console().print(terminal.plain(line, 500))


def _facts(target: str, kind: MediaKind, state: Path | None, api_url: str | None) -> MediaFacts:
    path = Path(target)
    if MEDIA_ID.fullmatch(target) and not path.exists():
        with connected(api_url, state) as client:
            return client.validate_media(target)
    if path.is_dir():
        raise MediaError("NotMedia", f"{target}: is a folder, not a file")
    if kind is MediaKind.IMAGE:
        return probe_image(path)
    return probe_media(path, allow_audio_only=kind is MediaKind.MUSIC)


def _show_invalid(target: str, error: MediaError | PermanentError, output: Format) -> None:
    if output is Format.JSON:
        typer.echo(json.dumps({"valid": False, "code": error.code, "message": str(error)}))
    line = str(error) if Path(target).name in str(error) else f"{target}: {error}"
    print_errors((f"{line} [{error.code}]",))


def upload(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", exists=True, dir_okay=False, help="Files to upload."),
    ],
    kind: KindOption = MediaKind.CLIP,
    output: OutputOption = Format.TEXT,
    state: StateOption = None,
    api_url: ApiUrlOption = None,
) -> None:
    """Upload files to the media library. A file with the same bytes keeps its media id.

    Examples:
        clipmill media upload intro.mp4 --kind intro
        clipmill media upload a.mp4 b.mp4 -o json
    """
    empty = next((file for file in files if not file.stat().st_size), None)
    if empty:
        raise MediaError("Empty", f"{empty}: the file is empty")
    err = terminal.console(stderr=True)
    with connected(api_url, state) as client, FileUploads(err, len(files)) as progress:
        media = [client.upload_media(file, kind, on_progress=progress) for file in files]
    print_list(output, media, listings.show_media)


def cancel_upload(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", exists=True, dir_okay=False, help="Uploaded files."),
    ],
    kind: KindOption = MediaKind.CLIP,
    state: StateOption = None,
    api_url: ApiUrlOption = None,
) -> None:
    """Cancel the interrupted uploads of files, which release their storage at once.

    Otherwise an upload can be continued for a day. What is complete stays in the library.

    Examples:
        clipmill media cancel-upload intro.mp4 --kind intro
    """
    with connected(api_url, state) as client:
        for file in files:
            upload = client.announce_upload(library_request(file, kind))
            if not upload.complete:
                client.cancel_upload(upload.id)
            result = f"complete as {upload.media_id}" if upload.complete else "cancelled"
            terminal.console().print(terminal.plain(f"{file.name}: {result}"))


def list_media(
    limit: LimitOption = 20,
    kind: Annotated[
        MediaKind | None, typer.Option(metavar="KIND", help="Only media of this kind: intro, ...")
    ] = None,
    output: OutputOption = Format.TEXT,
    state: StateOption = None,
    api_url: ApiUrlOption = None,
) -> None:
    """List the media library, newest first.

    Examples:
        clipmill media list
        clipmill media list --kind intro
        clipmill media list --limit 5 -o json
    """
    with connected(api_url, state) as client:
        media = watching.read_pages(functools.partial(client.library, kind=kind), limit)
    print_list(output, media, listings.show_media)


def used_in(
    media_id: MediaIdArgument,
    output: OutputOption = Format.TEXT,
    state: StateOption = None,
    api_url: ApiUrlOption = None,
) -> None:
    """List the results that play a media file, newest first.

    Examples:
        clipmill media used-in m-0123456789abcdef
    """
    with connected(api_url, state) as client:
        uses = client.used_in(media_id)
    print_list(output, uses, listings.show_uses)


def delete(
    media_ids: MediaIdsArgument, state: StateOption = None, api_url: ApiUrlOption = None
) -> None:
    """Delete media that no compilation uses.

    Examples:
        clipmill media delete m-0123456789abcdef
    """
    with connected(api_url, state) as client:
        for media_id in media_ids:
            client.delete_media(media_id)
            terminal.console().print(terminal.plain(f"deleted {media_id}"))
