"""The local files of a manifest in the media library: each once, and two at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from clipmill.protocol import MediaKind
from clipmill_cli.errors import ManifestError
from clipmill_cli.local.local_files import LocalFile
from clipmill_cli.output import terminal
from clipmill_cli.output.file_uploads import FileUploads
from clipmill_client.client import Client
from clipmill_client.errors import PermanentError
from clipmill_client.transfer import OnUpload

# As many as an API inspects at a time unless it is set otherwise.
WORKERS = 2
# A file is inspected for its kind, and only a clip may be broken.
_Use = tuple[Path, MediaKind, bool]


def upload_files(client: Client, files: Sequence[LocalFile]) -> dict[LocalFile, str]:
    """Upload local files, however often each is named, and return their media ids.

    Raises:
        ManifestError: the API refuses a file. The first one of the manifest is named.
    """
    # One after the other where names are equal: equal content would be one upload.
    named: dict[str, dict[_Use, LocalFile]] = {}
    for file in files:
        named.setdefault(file.path.name, {}).setdefault(_use(file), file)
    count = sum(map(len, named.values()))
    with (
        FileUploads(terminal.console(stderr=True), count) as progress,
        ThreadPoolExecutor(WORKERS) as pool,
    ):
        uploads = [pool.submit(_upload_all, client, uses, progress) for uses in named.values()]
        try:
            ids = {use: media for upload in uploads for use, media in upload.result().items()}
        finally:
            pool.shutdown(cancel_futures=True)
    return {file: ids[_use(file)] for file in files}


def _upload_all(
    client: Client, uses: Mapping[_Use, LocalFile], on_progress: OnUpload
) -> dict[_Use, str]:
    return {use: _uploaded(client, file, on_progress) for use, file in uses.items()}


def _use(file: LocalFile) -> _Use:
    return file.path.resolve(), file.kind, file.is_clip


def _uploaded(client: Client, file: LocalFile, on_progress: OnUpload) -> str:
    try:
        upload = client.transfers.upload_library(
            file.path, file.kind, keep_broken=file.is_clip, on_progress=on_progress
        )
    except PermanentError as error:
        raise ManifestError(f"{file.field}: {error} [{error.code}]") from None
    return str(upload.media_id)
