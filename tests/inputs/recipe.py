"""What a row of the table says: how a file is made, what it is, and what a player shows of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from inputs.cards import COLOURS, LEFT_HZ, RIGHT_HZ, Card, Tone

RATE = 30  # of the output that all recipes are rendered to
SIZE = (320, 180)

# --- how a file is made ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ffmpeg:
    """Run the bundled ffmpeg in the recipe's folder; a Card or a Tone stands for an input."""

    args: tuple[str | Card | Tone, ...]


@dataclass(frozen=True, slots=True)
class Join:
    """Append the bytes of files to each other, as `cat` does."""

    parts: tuple[str, ...]
    out: str


@dataclass(frozen=True, slots=True)
class Patch:
    """Replace the first occurrence of some bytes by as many others."""

    source: str
    old: bytes
    new: bytes
    out: str


@dataclass(frozen=True, slots=True)
class Truncate:
    """Keep the first part of a file."""

    source: str
    share: float
    out: str


@dataclass(frozen=True, slots=True)
class Write:
    """Write bytes, followed by those of a file, if one is named."""

    content: bytes
    out: str
    source: str = ""


Step = Ffmpeg | Join | Patch | Truncate | Write

# --- what a player shows of it --------------------------------------------------------------------

Box = tuple[float, float, float, float]
FULL: Box = (0, 0, *SIZE)


def contained(width: float, height: float) -> Box:
    """Return where a picture of this shape lies in the output: x, y, width, height."""
    scale = min(SIZE[0] / width, SIZE[1] / height)
    wide, high = width * scale, height * scale
    return ((SIZE[0] - wide) / 2, (SIZE[1] - high) / 2, wide, high)


Pictures = tuple[tuple[float, int], ...]


def steady(rate: str = "30", count: int = 60, *, at_s: float = 0.0, first: int = 0) -> Pictures:
    """Return when each card of a constant rate appears, and its number."""
    step = 1 / Fraction(rate)
    return tuple((at_s + float(i * step), first + i) for i in range(count))


STEADY = steady()


def only(pictures: Pictures, numbers: range | set[int]) -> Pictures:
    """Return the cards with these numbers: what is left of a variable rate."""
    return tuple((at_s, number) for at_s, number in pictures if number in numbers)


@dataclass(frozen=True, slots=True)
class Heard:
    """What is heard: the tones of the left and of the right, and from when to when."""

    left: tuple[int, ...] = (LEFT_HZ,)
    right: tuple[int, ...] = (RIGHT_HZ,)
    from_s: float = 0.0
    until_s: float = 2.0


MONO = Heard(right=(LEFT_HZ,))


@dataclass(frozen=True, slots=True)
class Shown:
    """A file that plays, at 30 frames a second in 320x180.

    Attributes:
        frames: Exact number of frames.
        slack_frames: Frames more that padding of the sound may add.
        pictures: When each card appears on the player's clock. Empty: numbers are not read.
        boxes: From when on the picture lies where.
        colours: Of the four fields; None where one is not measured.
        tolerance: Largest difference of a colour, of 255.
        white_tolerance: The same of a white cell of the number, in brightness.
        flash_s: When the flash begins; None there is none.
        sound: What is heard; None silence.
        beep_s: When the beep begins; None there is none.
        sync_ms: Largest distance of the beep from where it belongs.
        noted: Whether the plan has to say something about the clip.
    """

    frames: int = 60
    slack_frames: int = 0
    pictures: Pictures = STEADY
    boxes: tuple[tuple[float, Box], ...] = ((0.0, FULL),)
    colours: tuple[tuple[int, int, int] | None, ...] = COLOURS
    tolerance: int = 7
    white_tolerance: int = 5
    flash_s: float | None = 1.0
    sound: Heard | None = Heard()
    beep_s: float | None = 1.0
    sync_ms: int = 15
    noted: bool = False


class Refusal(StrEnum):
    """Why a file is no clip: the stable codes of clipmill_probe."""

    NOT_MEDIA = "NotMedia"
    FORBIDDEN = "ForbiddenFormat"
    NO_VIDEO = "NoVideo"
    TRUNCATED = "Truncated"
    DAMAGED = "Damaged"


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that is refused, by its stable code; the message names `names`."""

    code: Refusal
    names: str = ""


@dataclass(frozen=True, slots=True)
class Music:
    """A file of sound that plays as music: its length and the frequency in it."""

    seconds: float = 2.0
    hertz: int = LEFT_HZ
    slack_s: float = 0.06


Outcome = Shown | Refused | Music


@dataclass(frozen=True, slots=True)
class Recipe:
    """A row of the inputs table.

    Attributes:
        name: Names the test and the file's folder.
        title: The kind of file, as docs/inputs.md has it.
        treatment: What is done with it, as docs/inputs.md has it.
        row: The row of section 1 of the issue that asked for it, if one did.
        file: The file that the last step makes.
        has: Properties that the file really has, see inspection.Facts.
        fails_today: The test is expected to fail; remove it together with the fault.
    """

    name: str
    title: str
    treatment: str
    file: str
    steps: tuple[Step, ...]
    outcome: Outcome = Shown()
    row: str = ""
    has: Mapping[str, object] = field(default_factory=dict)
    fails_today: bool = False
