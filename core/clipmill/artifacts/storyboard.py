"""The storyboard of a result: which moments its picture shows, and the WebVTT that says where."""

from __future__ import annotations

import math
from typing import NamedTuple
from urllib.parse import quote

TILES = 16
MOST_TILES = 36
SECONDS_A_TILE = 5
"""Long videos have more tiles than 16, about one for each so many seconds, up to 36."""
TILE_WIDTH = 320
GAP = 4


class StoryboardGrid(NamedTuple):
    """Tiles in rows, evenly spread over all frames; sizes in pixels."""

    frames: int
    rate: int
    tiles: int
    columns: int
    tile: tuple[int, int]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the whole picture."""
        rows = math.ceil(self.tiles / self.columns)
        width, height = self.tile
        return self.columns * (width + GAP) + GAP, rows * (height + GAP) + GAP

    def corner(self, i: int) -> tuple[int, int]:
        """The left upper corner of a tile."""
        row, column = divmod(i, self.columns)
        return GAP + column * (self.tile[0] + GAP), GAP + row * (self.tile[1] + GAP)

    def span(self, i: int) -> tuple[int, int]:
        """The frames that a tile stands for: first, and one past the last."""
        return i * self.frames // self.tiles, (i + 1) * self.frames // self.tiles

    def shown(self, i: int) -> int:
        """The frame that a tile shows: the middle of its stretch."""
        start, end = self.span(i)
        return (start + end) // 2


def build_grid(frames: int, rate: int, size: tuple[int, int]) -> StoryboardGrid:
    """The grid for a video of these frames and this size."""
    wanted = min(MOST_TILES, max(TILES, frames // (rate * SECONDS_A_TILE)))
    tiles = max(1, min(wanted, frames))
    columns = min(tiles, 4 if tiles <= TILES else 6)
    height = max(2, round(size[1] * TILE_WIDTH / size[0]))
    return StoryboardGrid(frames, rate, tiles, columns, (TILE_WIDTH, height))


def storyboard_vtt(found: StoryboardGrid, picture: str) -> str:
    """WebVTT: for each stretch of time the part of the picture that shows it."""
    cues = [_cue(found, i, quote(picture)) for i in range(found.tiles)]
    return "\n".join(("WEBVTT", "", *cues))


def _cue(found: StoryboardGrid, i: int, picture: str) -> str:
    start, end = (_time(frame, found.rate) for frame in found.span(i))
    place = ",".join(map(str, (*found.corner(i), *found.tile)))
    return f"{start} --> {end}\n{picture}#xywh={place}\n"


def _time(frame: int, rate: int) -> str:
    milliseconds = frame * 1000 // rate
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"
