"""Media files of the predecessor in the libraries of their users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from clipmill.protocol import MediaKind
from clipmill_cli.legacy_import.import_report import ImportAction, ImportItem
from clipmill_cli.legacy_import.import_target import ImportTarget
from clipmill_cli.legacy_import.legacy_database import Row
from clipmill_cli.legacy_import.legacy_files import LegacyFiles, UnusableFile
from clipmill_cli.legacy_import.legacy_names import one_line
from clipmill_client.client import Client
from clipmill_client.errors import PermanentError
from clipmill_probe import MediaError, probe_media
from clipmill_probe.depth import Depth

KINDS = {
    kind.value: kind
    for kind in (
        MediaKind.CLIP,
        MediaKind.INTRO,
        MediaKind.OUTRO,
        MediaKind.TRANSITION,
        MediaKind.MUSIC,
    )
}
RESULT = "compilation"
NO_FOLDER = "no --media FOLDER is given"
IS_RESULT = "a finished video stays in the old folder; --results imports it as a clip"
# In a dry run, manifests name media that does not exist yet.
NOT_YET = "m-0000000000000000"


class ImportedMedia(NamedTuple):
    """An item for each file, and the media ids here of those that are here, by their ids there."""

    items: list[ImportItem]
    ids: dict[int, str]


class MediaImport:
    """The import of the files of all users."""

    def __init__(
        self, target: ImportTarget, files: LegacyFiles | None, *, with_results: bool
    ) -> None:
        self._target = target
        self._files = files
        self._with_results = with_results

    def add_library(self, user: str, rows: Sequence[Row], *, exists: bool) -> ImportedMedia:
        """Import files into the library of a user.

        Args:
            user: Name here.
            rows: The user's own files, and public ones that the user's projects play.
            exists: Whether the user exists already; in a dry run, a new one does not.
        """
        library = self._target.library(user) if exists else []
        existing = {(media.kind, media.sha256): media.id for media in library}
        with ExitStack() as stack:
            session = _UserUploads(self._target, user, existing, stack)
            items = [self._add(user, row, session) for row in rows]
        ids = {
            item.legacy_id: item.target or NOT_YET
            for item in items
            if item.legacy_id is not None and item.action is not ImportAction.SKIP
        }
        return ImportedMedia(items, ids)

    def _add(self, user: str, row: Row, uploads: _UserUploads) -> ImportItem:
        name = one_line(row.get("original_filename") or row.get("filename") or row["file_path"])
        item = ImportItem(
            kind="media",
            legacy_id=row["id"],
            name=f"{user}/{name}",
            action=ImportAction.SKIP,
        )
        try:
            action, media_id = uploads.put(row, self._kind(row), self._files, name)
        except UnusableFile as error:
            return item.model_copy(update={"reason": str(error)})
        except PermanentError as error:
            return item.model_copy(update={"reason": f"{error} [{error.code}]"})
        reason = "exists" if action is ImportAction.KEEP else None
        target = None if media_id == NOT_YET else media_id
        return item.model_copy(update={"action": action, "target": target, "reason": reason})

    def _kind(self, row: Row) -> MediaKind:
        label = str(row["media_type"] or "").lower()
        if label == RESULT and not self._with_results:
            raise UnusableFile(IS_RESULT)
        kind = MediaKind.CLIP if label == RESULT else KINDS.get(label)
        if kind is None:
            raise UnusableFile(f"media_type {label[:40]!r} has no counterpart here")
        return kind


class _UserUploads:
    """Uploads into one library, by a key that is created with the first of them."""

    def __init__(
        self,
        target: ImportTarget,
        user: str,
        existing: Mapping[tuple[MediaKind, str], str],
        stack: ExitStack,
    ) -> None:
        self._target, self._user, self._stack = target, user, stack
        self._existing = dict(existing)
        self._client: Client | None = None

    def put(
        self, row: Row, kind: MediaKind, files: LegacyFiles | None, name: str
    ) -> tuple[ImportAction, str]:
        """Upload the file of a row unless the library has it. Return its media id."""
        if files is None:
            raise UnusableFile(NO_FOLDER)
        path, sha256 = files.find(row)
        if (kind, sha256) in self._existing:
            return ImportAction.KEEP, self._existing[kind, sha256]
        media_id = NOT_YET
        if self._target.dry_run:
            _probe(path, kind)
        else:
            media_id = self._connected().upload_media(path, kind, name or None).id
        self._existing[kind, sha256] = media_id
        return ImportAction.CREATE, media_id

    def _connected(self) -> Client:
        if self._client is None:
            self._client = self._stack.enter_context(self._target.uploads_of(self._user))
        return self._client


def _probe(path: Path, kind: MediaKind) -> None:
    """Read every packet of a file, as a dry run; the API decodes what is uploaded."""
    try:
        probe_media(path, depth=Depth.PACKETS, allow_audio_only=kind is MediaKind.MUSIC)
    except MediaError as error:
        raise UnusableFile(f"{error} [{error.code}]") from None
