"""Source files of a part: fetched from the API once, gone when no segment needs them any more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Lock

from clipmill.protocol import Image, Segment
from clipmill_client.client import Client
from clipmill_client.errors import PermanentError
from clipmill_job.errors import GiveUp


def sources(segment: Segment) -> set[str]:
    """Media ids that a segment is cut from, and of the images drawn over it."""
    images = [image.media_id for layer in segment.layers() for image in layer.images()]
    return {media_id for media_id in (*images, *(cut.media_id for cut in segment.cuts)) if media_id}


class Sources:
    """`path` fetches, `release` deletes what was needed for the last time."""

    def __init__(self, client: Client, folder: Path, segments: Iterable[Segment]) -> None:
        self._client = client
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self._uses = Counter(media_id for segment in segments for media_id in sources(segment))
        self._guard = Lock()
        self._locks: dict[str, Lock] = {}

    def path(self, media_id: str) -> Path:
        """The file of a media id; two segments that want it at once fetch it once."""
        return self._fetched(media_id, lambda path: self._client.download_media(media_id, path))

    def image(self, image: Image) -> Path:
        """The file of an image: the owner's, or the installation's watermark. Raises GiveUp."""
        if image.media_id:
            return self.path(image.media_id)
        try:
            return self._fetched(
                image.sha256, lambda path: self._client.download_watermark(image.sha256, path)
            )
        except PermanentError as error:
            if error.code != "NotFound":
                raise
            said = "the watermark that the tier requires is not there any more"
            raise GiveUp("WatermarkMissing", said) from error

    def _fetched(self, name: str, fetch: Callable[[Path], None]) -> Path:
        with self._guard:
            lock = self._locks.setdefault(name, Lock())
        with lock:
            path = self._folder / name
            if not path.exists():
                fetch(path)
            return path

    def release(self, segment: Segment) -> None:
        """A segment is done: files that no other segment needs are deleted."""
        with self._guard:
            for media_id in sources(segment):
                self._uses[media_id] -= 1
                if self._uses[media_id] == 0:
                    (self._folder / media_id).unlink(missing_ok=True)
