"""Find and check the media files of the predecessor in a copy of its storage folder."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from clipmill_cli.legacy_import.legacy_database import Row
from clipmill_client.transfer import sha256_of


class UnusableFile(Exception):
    """A row has no file that can be imported; the message says why."""


class LegacyFiles:
    """The storage folder. Each file is hashed once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._hashes: dict[Path, str] = {}

    def find(self, row: Row) -> tuple[Path, str]:
        """Return the file of a media row, and its SHA-256.

        Raises:
            UnusableFile: It is missing, empty, or not the file that the row describes.
        """
        path = self._locate(str(row["file_path"] or ""))
        size = path.stat().st_size
        if not size:
            raise UnusableFile("the file is empty")
        checksum = str(row.get("checksum") or "").lower()
        digest = self._sha256(path)
        if checksum and checksum != digest:
            raise UnusableFile(f"the file's SHA-256 is {digest}, its row has {checksum}")
        recorded = row.get("file_size")
        if not checksum and recorded and recorded != size:
            raise UnusableFile(f"the file has {size} bytes, its row has {recorded}")
        return path, digest

    def _locate(self, recorded: str) -> Path:
        """Return the file below the folder by the longest end of its recorded path.

        The path is one of the predecessor's machine. What it ends with is below the folder.
        """
        parts = [part for part in PurePosixPath(recorded).parts if part != "/"]
        if not parts or ".." in parts or "\0" in recorded:
            raise UnusableFile(f"file_path {recorded[:200]!r} is no path of a file")
        for first in range(len(parts)):
            path = self._folder.joinpath(*parts[first:])
            # A link out of the folder would import a file that is none of the predecessor's.
            if path.is_file() and path.resolve().is_relative_to(self._folder):
                return path
        raise UnusableFile(f"{recorded[:200]} is missing in the folder of --media")

    def _sha256(self, path: Path) -> str:
        if path not in self._hashes:
            self._hashes[path] = sha256_of(path)
        return self._hashes[path]
