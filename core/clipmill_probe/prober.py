"""Read a media file's facts in a child process with limits on time, CPU and memory."""

from __future__ import annotations

import json
import signal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clipmill_probe.children.child_runs import run_child
from clipmill_probe.depth import Depth
from clipmill_probe.errors import MediaError

if TYPE_CHECKING:
    from clipmill.protocol import MediaFacts

# Below the client's read time-out for the response to a completed upload (300 s).
TIMEOUT_S = 240.0
IMAGE_TIMEOUT_S = 20.0
# An interval is damaged when more than one frame in so many cannot be decoded.
MAX_BROKEN_RATIO = 20
# Fewer frames are judged like so many: of a short transition, one may be broken.
SHORTEST_JUDGED = 60


def probe_media(
    path: Path | str,
    *,
    depth: Depth = Depth.FULL,
    allow_audio_only: bool = False,
    timeout_s: float = TIMEOUT_S,
) -> MediaFacts:
    """Return the facts of a video file.

    Args:
        path: The file.
        depth: What is decoded. Every packet is read at each depth, so that truncation is found;
            loudness is measured where sound is decoded.
        allow_audio_only: Accept a file without a video stream, as music.
        timeout_s: Deadline of the child process in seconds.

    Raises:
        MediaError: The file is not usable.
    """
    kind = "sound" if allow_audio_only else "video"
    return _facts(_read_in_child(Path(path), depth, kind, timeout_s))


def probe_image(path: Path | str, *, timeout_s: float = IMAGE_TIMEOUT_S) -> MediaFacts:
    """Return format and size of an image file, decoded completely. Raises MediaError."""
    return _facts(_read_in_child(Path(path), Depth.FULL, "image", timeout_s))


def find_damage(
    path: Path | str, *, start_s: Fraction, end_s: Fraction, timeout_s: float = TIMEOUT_S
) -> str | None:
    """Return what is damaged in an interval of a video file; None if it can be decoded well enough.

    Args:
        path: The file.
        start_s: Start of the interval after the start of the file in seconds.
        end_s: Its end.
        timeout_s: Deadline of the child process in seconds.

    Raises:
        MediaError: The file cannot be read at all, or not in time.
    """
    interval = f"{max(start_s, Fraction(0))}-{end_s}"
    count = _read_in_child(Path(path), interval, "pictures", timeout_s)
    pictures, broken = int(count["pictures"]), int(count["broken"])
    if broken * MAX_BROKEN_RATIO <= max(pictures, SHORTEST_JUDGED):
        return None
    return f"{broken} of {pictures} video frames cannot be decoded"


def _facts(facts: Any) -> MediaFacts:
    # Imported here because the child imports this package too and must not load pydantic.
    from clipmill.protocol import MediaFacts  # noqa: PLC0415

    return MediaFacts.model_validate(facts)


def _read_in_child(path: Path, depth: str, kind: str, timeout_s: float) -> Any:
    arguments = (str(path.absolute()), depth, str(timeout_s), kind)
    try:
        stdout, code = run_child(arguments, timeout_s=timeout_s)
    except TimeoutError:
        raise _too_slow(path, timeout_s) from None
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        raise _too_slow(path, timeout_s)
    try:
        response = json.loads(stdout)
    except ValueError:
        message = f"{path.name}: the prober ended with exit code {code}"
        raise MediaError("Damaged", message) from None
    if "error" in response:
        raise MediaError(response["error"]["code"], response["error"]["message"])
    return response["facts"]


def _too_slow(path: Path, timeout_s: float) -> MediaError:
    return MediaError("TooSlow", f"{path.name}: not decoded within {timeout_s:g} s")
