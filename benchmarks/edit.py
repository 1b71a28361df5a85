"""The edit that every tool renders: its clips, its length in frames, the encoder's settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from clipmill.spec import Output
from clipmill.timeline.profiles import build_profile


@dataclass(frozen=True, slots=True)
class Trim:
    """A stretch of a file, in seconds."""

    path: Path
    start: float
    end: float

    @property
    def seconds(self) -> float:
        """Return the duration in seconds."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Edit:
    """An intro, then all clips with a crossfade between each two; a text over the first clip."""

    size: tuple[int, int]
    rate: int
    intro: Trim
    trims: tuple[Trim, ...]
    music: Path
    fade_s: float = 0.5
    text: str = "Friday, top clips"
    # When the text is shown, from the start of the first clip.
    text_s: tuple[float, float] = (0.5, 2.5)
    music_gain: float = 0.25

    @property
    def frames(self) -> int:
        """Return the number of frames of the finished video."""
        played = sum(round(trim.seconds * self.rate) for trim in (self.intro, *self.trims))
        return played - (len(self.trims) - 1) * round(self.fade_s * self.rate)

    def encoder(self) -> tuple[str, ...]:
        """Return ffmpeg's arguments for the video: those of Clipmill's own segments."""
        width, height = self.size
        output = Output(name="main", preset="custom", width=width, height=height, rate=self.rate)
        profile = build_profile(output)
        return (
            *("-c:v", "libx264", "-preset", profile.speed, "-crf", str(profile.crf)),
            *("-maxrate", str(profile.max_bitrate), "-bufsize", str(2 * profile.max_bitrate)),
            *("-bf", "2", "-g", str(2 * profile.rate), "-pix_fmt", "yuv420p"),
        )
