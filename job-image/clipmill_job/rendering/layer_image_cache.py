"""PNG files of a task's layers: each rendered once, however many segments show it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from threading import Lock

from clipmill.ffmpeg.segment_args import RenderedLayer
from clipmill.protocol import Layer, Segment
from clipmill_client.errors import PermanentError
from clipmill_job.rendering.source_files import SourceFiles


class LayerImageCache:
    """Renders layers into a folder, for several threads."""

    def __init__(self, folder: Path, files: SourceFiles) -> None:
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self._files = files
        self._lock = Lock()
        self._layers: dict[str, RenderedLayer] = {}

    def of(self, segment: Segment) -> list[RenderedLayer]:
        """Return the rendered layers of a segment, in their order. Raises PermanentError."""
        return [self._cached(layer, segment.profile.size) for layer in segment.layers()]

    def _cached(self, layer: Layer, frame: tuple[int, int]) -> RenderedLayer:
        # When a layer is visible does not change its image.
        untimed = layer.model_copy(update={"window": None})
        content = f"{frame} {untimed.model_dump_json()}"
        name = hashlib.sha256(content.encode()).hexdigest()
        with self._lock:
            if name not in self._layers:
                self._layers[name] = self._render(untimed, frame, self._folder / f"{name}.png")
            return self._layers[name]

    def _render(self, layer: Layer, frame: tuple[int, int], path: Path) -> RenderedLayer:
        from clipmill_job.drawing.layer_drawing import draw_layer  # noqa: PLC0415  few have layers

        files = {image.sha256: self._files.image_path(image) for image in layer.images()}
        try:
            image, x, y = draw_layer(layer, frame, files)
        except (OSError, ValueError, SyntaxError) as error:
            message = f"an image cannot be decoded: {error}"
            raise PermanentError("UnreadableImage", message[:300]) from error
        image.save(path, "PNG", compress_level=1)
        return RenderedLayer(str(path), x, y)
