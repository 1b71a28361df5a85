"""A file goes in, facts or a verdict come out; the reading is done by a limited child process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clipmill_probe.errors import MediaError

if TYPE_CHECKING:
    from clipmill.protocol import MediaFacts

TIMEOUT_S = 240.0
"""Under the client's patience for the API's answer to a finished upload (300 s)."""
IMAGE_TIMEOUT_S = 20.0


def check(
    path: Path | str, *, full: bool = True, sound: bool = False, timeout_s: float = TIMEOUT_S
) -> MediaFacts:
    """The facts of a video file, decoded to its end unless not `full`. Raises MediaError.

    With `sound` a file of sound alone will do: music needs no picture.
    Without `full` only packets are read: quicker, the same verdict on length, no loudness.
    """
    depth, kind = "full" if full else "demux", "sound" if sound else "video"
    return _facts(_answer(Path(path), depth, kind, timeout_s))


def check_image(path: Path | str, *, timeout_s: float = IMAGE_TIMEOUT_S) -> MediaFacts:
    """The facts of an image that can be drawn, decoded to its end. Raises MediaError."""
    return _facts(_answer(Path(path), "full", "image", timeout_s))


def _facts(answer: Any) -> MediaFacts:
    # Only here: the child reads this module too, and has no use for the contract.
    from clipmill.protocol import MediaFacts  # noqa: PLC0415

    return MediaFacts.model_validate(answer)


def _answer(where: Path, depth: str, kind: str, timeout_s: float) -> Any:
    """The child's facts, or its verdict as the exception."""
    out, code = _run(where, (depth, str(timeout_s), kind), timeout_s=timeout_s)
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        raise _too_slow(where, timeout_s)
    try:
        answer = json.loads(out)
    except ValueError:
        raise MediaError("Damaged", f"{where.name}: reading it ended with exit {code}") from None
    if "error" in answer:
        raise MediaError(answer["error"]["code"], answer["error"]["message"])
    return answer["facts"]


def _run(path: Path, asked: tuple[str, ...], *, timeout_s: float) -> tuple[bytes, int]:
    # -I: neither the current folder nor PYTHON* variables decide what the child imports.
    argv = (sys.executable, "-I", "-m", "clipmill_probe", str(path), *asked)
    child = subprocess.Popen(  # noqa: S603  an argument tuple, no shell
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.defpath, "LANG": "C.UTF-8"},
        start_new_session=True,
    )
    try:
        out, _ = child.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        raise _too_slow(path, timeout_s) from None
    finally:
        _end(child)
    return out, child.returncode


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    if child.stdout:
        child.stdout.close()


def _too_slow(path: Path, timeout_s: float) -> MediaError:
    return MediaError("TooSlow", f"{path.name}: not read to its end within {timeout_s:g} s")
