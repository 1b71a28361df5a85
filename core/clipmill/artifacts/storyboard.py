"""Lay out the storyboard of a result: the frames on its picture, and the WebVTT cues for them."""

from __future__ import annotations

import math
from typing import NamedTuple
from urllib.parse import quote

# Videos have 16 tiles; long ones have one for about every 5 s, up to 36.
MIN_TILES = 16
MAX_TILES = 36
SECONDS_PER_TILE = 5
TILE_WIDTH = 320
GAP = 4


class StoryboardGrid(NamedTuple):
    """Tiles in rows, evenly spread over all frames; sizes are in pixels."""

    frames: int
    rate: int
    tiles: int
    columns: int
    tile: tuple[int, int]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the storyboard picture."""
        rows = math.ceil(self.tiles / self.columns)
        width, height = self.tile
        return self.columns * (width + GAP) + GAP, rows * (height + GAP) + GAP

    def corner(self, i: int) -> tuple[int, int]:
        """Return the upper left corner of a tile."""
        row, column = divmod(i, self.columns)
        return GAP + column * (self.tile[0] + GAP), GAP + row * (self.tile[1] + GAP)

    def span(self, i: int) -> tuple[int, int]:
        """Return the frames that a tile represents: the first one, and one past the last."""
        return i * self.frames // self.tiles, (i + 1) * self.frames // self.tiles

    def shown(self, i: int) -> int:
        """Return the frame that a tile shows, which is the middle of its span."""
        start, end = self.span(i)
        return (start + end) // 2


def build_grid(frames: int, rate: int, size: tuple[int, int]) -> StoryboardGrid:
    """Return the grid for a video of this length, frame rate and size in pixels."""
    tiles = min(MAX_TILES, max(MIN_TILES, frames // (rate * SECONDS_PER_TILE)))
    tiles = max(1, min(tiles, frames))
    columns = min(tiles, 4 if tiles <= MIN_TILES else 6)
    height = max(2, round(size[1] * TILE_WIDTH / size[0]))
    return StoryboardGrid(frames, rate, tiles, columns, (TILE_WIDTH, height))


def storyboard_vtt(grid: StoryboardGrid, picture: str) -> str:
    """Return WebVTT that maps each span of time to the region of the picture that shows it."""
    cues = [_cue(grid, i, quote(picture)) for i in range(grid.tiles)]
    return "\n".join(("WEBVTT", "", *cues))


def _cue(grid: StoryboardGrid, i: int, picture: str) -> str:
    start, end = (_vtt_time(frame, grid.rate) for frame in grid.span(i))
    region = ",".join(map(str, (*grid.corner(i), *grid.tile)))
    return f"{start} --> {end}\n{picture}#xywh={region}\n"


def _vtt_time(frame: int, rate: int) -> str:
    seconds, milliseconds = divmod(frame * 1000 // rate, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{milliseconds:03}"
