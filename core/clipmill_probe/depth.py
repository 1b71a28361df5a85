"""How much of a media file is decoded when it is read."""

from __future__ import annotations

from enum import StrEnum


class Depth(StrEnum):
    """What is decoded. Every packet is read at each depth.

    FULL        every picture and all sound
    SOUND       all sound, and single key frames; pictures are judged when they are rendered
    PACKETS     the first picture
    """

    FULL = "full"
    SOUND = "sound"
    PACKETS = "packets"
