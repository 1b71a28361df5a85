"""Source files of a part: fetched from the API once, gone when no piece needs them any more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from threading import Lock

from clipmill.contract import Piece
from clipmill_client.client import Client


def sources(piece: Piece) -> set[str]:
    """Media ids that a piece is cut from."""
    return {cut.media_id for cut in piece.cuts if cut.media_id}


class Sources:
    """`path` fetches, `release` deletes what was needed for the last time."""

    def __init__(self, client: Client, folder: Path, pieces: Iterable[Piece]) -> None:
        self._client = client
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self._uses = Counter(media_id for piece in pieces for media_id in sources(piece))
        self._guard = Lock()
        self._locks: dict[str, Lock] = {}

    def path(self, media_id: str) -> Path:
        """The file of a media id; two pieces that want it at once fetch it once."""
        with self._guard:
            lock = self._locks.setdefault(media_id, Lock())
        with lock:
            path = self._folder / media_id
            if not path.exists():
                self._client.download_media(media_id, path)
            return path

    def release(self, piece: Piece) -> None:
        """A piece is done: files that no other piece needs are deleted."""
        with self._guard:
            for media_id in sources(piece):
                self._uses[media_id] -= 1
                if self._uses[media_id] == 0:
                    (self._folder / media_id).unlink(missing_ok=True)
