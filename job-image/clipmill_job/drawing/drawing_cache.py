"""The drawings of a part: each layer drawn once, however many segments show it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from threading import Lock

from clipmill.ffmpeg.segment_args import Drawn
from clipmill.protocol import Layer, Segment
from clipmill_job.drawing.layer_drawing import draw
from clipmill_job.errors import GiveUp
from clipmill_job.rendering.source_files import Sources


class Drawings:
    """PNG files of layers, in a folder of their own."""

    def __init__(self, folder: Path, files: Sources) -> None:
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self._files = files
        self._lock = Lock()
        self._drawn: dict[str, Drawn] = {}

    def of(self, segment: Segment) -> list[Drawn]:
        """A drawing for each of the segment's layers, in their order."""
        return [self._of(layer, segment.profile.size) for layer in segment.layers()]

    def _of(self, layer: Layer, frame: tuple[int, int]) -> Drawn:
        still = layer.model_copy(update={"window": None})
        content = f"{frame} {still.model_dump_json()}"
        name = hashlib.sha256(content.encode()).hexdigest()
        with self._lock:
            if name not in self._drawn:
                self._drawn[name] = self._draw(still, frame, self._folder / f"{name}.png")
            return self._drawn[name]

    def _draw(self, layer: Layer, frame: tuple[int, int], path: Path) -> Drawn:
        files = {image.sha256: self._files.image(image) for image in layer.images()}
        try:
            image, x, y = draw(layer, frame, files)
        except (OSError, ValueError, SyntaxError) as error:
            raise GiveUp("UnreadableImage", f"an image cannot be drawn: {error}"[:300]) from error
        image.save(path, "PNG", compress_level=1)
        return Drawn(str(path), x, y)
