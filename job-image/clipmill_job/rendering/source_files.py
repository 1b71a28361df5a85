"""Source files of a task: downloaded once, deleted when no further segment needs them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Lock

from clipmill.protocol import Image, Segment
from clipmill_client.client import Client
from clipmill_client.errors import PermanentError


class SourceFiles:
    """Media files and images by media id, for several threads."""

    def __init__(self, client: Client, folder: Path, segments: Iterable[Segment]) -> None:
        self._client = client
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self._uses = Counter(media_id for segment in segments for media_id in source_ids(segment))
        self._lock = Lock()
        self._file_locks: dict[str, Lock] = {}

    def path(self, media_id: str) -> Path:
        """Return a media file, downloading it on first use."""
        return self._downloaded(media_id, lambda path: self._client.download_media(media_id, path))

    def still_path(self, media_id: str) -> Path:
        """Return a still image as PNG, converting it on first use.

        Raises:
            PermanentError: The image cannot be decoded.
        """
        from clipmill_job.drawing.still_picture import convert_still  # noqa: PLC0415  few have them

        path = self.path(media_id)
        out = self._folder / _still_name(media_id)
        with self._lock:
            file_lock = self._file_locks.setdefault(out.name, Lock())
        with file_lock:
            if not out.exists():
                try:
                    convert_still(path, out)
                except (OSError, ValueError, SyntaxError) as error:
                    message = f"an image cannot be decoded: {error}"
                    raise PermanentError("UnreadableImage", message[:300]) from error
            return out

    def image_path(self, image: Image) -> Path:
        """Return the file of an image: the owner's, or the installation's watermark.

        Raises:
            PermanentError: The installation no longer has the watermark that the tier requires.
        """
        if image.media_id:
            return self.path(image.media_id)
        try:
            return self._downloaded(
                image.sha256, lambda path: self._client.download_watermark(image.sha256, path)
            )
        except PermanentError as error:
            if error.code != "NotFound":
                raise
            message = "the installation no longer has the watermark that the tier requires"
            raise PermanentError("WatermarkMissing", message) from error

    def _downloaded(self, name: str, download: Callable[[Path], None]) -> Path:
        with self._lock:
            file_lock = self._file_locks.setdefault(name, Lock())
        with file_lock:
            path = self._folder / name
            if not path.exists():
                download(path)
            return path

    def release(self, segment: Segment) -> None:
        """Delete the files that only this segment still needed."""
        with self._lock:
            for media_id in source_ids(segment):
                self._uses[media_id] -= 1
                if self._uses[media_id] == 0:
                    (self._folder / media_id).unlink(missing_ok=True)
                    (self._folder / _still_name(media_id)).unlink(missing_ok=True)


def _still_name(media_id: str) -> str:
    return f"{media_id}.png"


def source_ids(segment: Segment) -> set[str]:
    """Return the media ids of a segment's sources and of the images laid over them."""
    images = [image.media_id for layer in segment.layers() for image in layer.images()]
    media_ids = (*images, *(source.media_id for source in segment.sources))
    return {media_id for media_id in media_ids if media_id}
