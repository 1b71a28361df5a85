"""The edit that is compared, in no tool's words; its length in frames, the encoder's settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from clipmill.spec import Output
from clipmill.timeline.profiles import profile


@dataclass(frozen=True, slots=True)
class Shot:
    """A stretch of a file, in seconds."""

    path: Path
    start: float
    end: float

    @property
    def seconds(self) -> float:
        """How long it plays."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Edit:
    """The intro, then all shots with a crossfade between each two; a text over the first shot."""

    size: tuple[int, int]
    rate: int
    intro: Shot
    shots: tuple[Shot, ...]
    music: Path
    fade_s: float = 0.5
    text: str = "Friday, top clips"
    text_s: tuple[float, float] = (0.5, 2.5)
    """When the text is shown, from the start of the first shot."""
    music_gain: float = 0.25

    @property
    def frames(self) -> int:
        """What the arithmetic of the edit says."""
        played = sum(round(shot.seconds * self.rate) for shot in (self.intro, *self.shots))
        return played - (len(self.shots) - 1) * round(self.fade_s * self.rate)

    def encoder(self) -> tuple[str, ...]:
        """Arguments of ffmpeg for the picture: those of Clipmill's own segments."""
        width, height = self.size
        output = Output(name="main", preset="custom", width=width, height=height, rate=self.rate)
        form = profile(output)
        return (
            *("-c:v", "libx264", "-preset", form.speed, "-crf", str(form.crf)),
            *("-maxrate", str(form.max_bitrate), "-bufsize", str(2 * form.max_bitrate)),
            *("-bf", "2", "-g", str(2 * form.rate), "-pix_fmt", "yuv420p"),
        )
