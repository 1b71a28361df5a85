"""A manifest file prepared for an API: validated, and with its local files uploaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clipmill.shows.show_spec import ShowManifest
from clipmill.spec import Manifest, Quality
from clipmill_cli.local import local_files, manifest_file
from clipmill_cli.local.library_uploads import upload_files
from clipmill_cli.local.local_files import LocalFile
from clipmill_client.client import Client

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
        media_ids = upload_files(client, self.files)
        return manifest_file.validate(local_files.with_media_ids(self.document, media_ids))


def prepare(path: Path) -> PreparedManifest:
    """Read and validate a manifest and the paths of its local files, without an API.

    Raises:
        ManifestError: the manifest is not valid, or a local file cannot be used.
    """
    return _compilation(manifest_file.read_yaml(path), path)


def prepare_any(path: Path) -> PreparedManifest | PreparedShow:
    """Read and validate a Compilation or a Show, as `prepare` and `prepare_show` do.

    Raises:
        ManifestError: it is not valid, or a local file cannot be used.
    """
    document = manifest_file.read_yaml(path)
    return _show(document, path) if document.get("kind") == "Show" else _compilation(document, path)


def _compilation(document: dict[str, Any], path: Path) -> PreparedManifest:
    files = local_files.find_local_files(document, path.absolute().parent)
    placeholders = dict.fromkeys(files, local_files.PLACEHOLDER_ID)
    manifest_file.validate(local_files.with_media_ids(document, placeholders))
    return PreparedManifest(document, tuple(files))


@dataclass(frozen=True, slots=True)
class PreparedShow:
    """A validated show whose template's local files are not uploaded yet."""

    document: dict[str, Any]
    files: tuple[LocalFile, ...]

    def upload(self, client: Client) -> ShowManifest:
        """Upload the local files of the template and return the show with their ids.

        Raises:
            ManifestError: the API refuses a file.
        """
        media_ids = upload_files(client, self.files)
        return manifest_file.validate_show(_with_template(self.document, media_ids))


def prepare_show(path: Path) -> PreparedShow:
    """Read and validate a show and the paths of its template's local files, without an API.

    Raises:
        ManifestError: the show is not valid, or a local file does not exist or is empty.
    """
    return _show(manifest_file.read_yaml(path), path)


def _show(document: dict[str, Any], path: Path) -> PreparedShow:
    files = local_files.find_local_files(_template(document), path.absolute().parent)
    placeholders = dict.fromkeys(files, local_files.PLACEHOLDER_ID)
    manifest_file.validate_show(_with_template(document, placeholders))
    return PreparedShow(document, tuple(files))


def _template(document: dict[str, Any]) -> dict[str, Any]:
    """Return the template of a show as the spec of a document."""
    spec = document.get("spec")
    return {"spec": spec.get("template") if isinstance(spec, dict) else None}


def _with_template(document: dict[str, Any], media_ids: dict[LocalFile, str]) -> dict[str, Any]:
    if not media_ids:
        return document
    template = local_files.with_media_ids(_template(document), media_ids)["spec"]
    return {**document, "spec": {**document["spec"], "template": template}}


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
