"""A manifest file prepared for an API: validated, and with its local files uploaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clipmill.spec import Manifest, Quality
from clipmill_cli.errors import ManifestError
from clipmill_cli.local import local_files, manifest_file
from clipmill_cli.local.local_files import LocalFile
from clipmill_client.client import Client
from clipmill_client.errors import PermanentError

# A resource name has at most 63 characters; `-draft` takes six of them.
MAX_BASE_NAME_CHARS = 57


@dataclass(frozen=True, slots=True)
class PreparedManifest:
    """A validated manifest whose local files are not uploaded yet."""

    document: dict[str, Any]
    files: tuple[LocalFile, ...]

    def upload(self, client: Client) -> Manifest:
        """Upload the local files to the media library and return the manifest with their ids.

        Broken clips are uploaded too: the API treats them by `onClipError`.

        Raises:
            ManifestError: the API refuses a file.
        """
        media_ids = {file: _uploaded(client, file) for file in self.files}
        return manifest_file.validate(local_files.with_media_ids(self.document, media_ids))


def prepare(path: Path) -> PreparedManifest:
    """Read and validate a manifest and the paths of its local files, without an API.

    Raises:
        ManifestError: the manifest is not valid, or a local file cannot be used.
    """
    document = manifest_file.read_yaml(path)
    files = local_files.find_local_files(document, path.absolute().parent)
    placeholders = dict.fromkeys(files, local_files.PLACEHOLDER_ID)
    manifest_file.validate(local_files.with_media_ids(document, placeholders))
    return PreparedManifest(document, tuple(files))


def _uploaded(client: Client, file: LocalFile) -> str:
    try:
        return client.upload_media(file.path, file.kind, keep_broken=file.is_clip).id
    except PermanentError as error:
        raise ManifestError(f"{file.field}: {error} [{error.code}]") from None


def without_owner(manifest: Manifest) -> Manifest:
    """Return the manifest for the one user of this machine, whatever owner it names."""
    spec = manifest.spec.model_copy(update={"owner": None})
    return manifest.model_copy(update={"spec": spec})


def as_draft(manifest: Manifest) -> Manifest:
    """Return the manifest with quality Draft and a name of its own."""
    spec = manifest.spec.model_copy(update={"quality": Quality.DRAFT})
    name = manifest.metadata.name[:MAX_BASE_NAME_CHARS].rstrip("-") + "-draft"
    metadata = manifest.metadata.model_copy(update={"name": name})
    return manifest.model_copy(update={"spec": spec, "metadata": metadata})
