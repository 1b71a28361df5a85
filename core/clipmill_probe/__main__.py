"""The prober's child process prints facts or an error as JSON.

Called as `python -I -m clipmill_probe FILE full|sound|packets SECONDS video|sound|image`, and with
`START-END` instead of the depth to count the `pictures` of an interval.
"""

from __future__ import annotations

import contextlib
import json
import resource
import sys
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

# Address space of the child. Decoding 8K of 10 bits takes 0.94 GiB of it.
MEMORY_BYTES = 1024**3


def main(argv: list[str]) -> int:
    """Limit this process, read the file and print a JSON object with `facts` or `error`."""
    path, depth, seconds, kind = argv
    _limit_process(int(float(seconds)) * 4 + 1)
    sys.stdout.write(json.dumps(_response(Path(path), depth, kind)))
    return 0


def _limit_process(cpu_s: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Where a pod's memory runs out all the same, the kernel ends this process and not the API.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def _response(path: Path, depth: str, kind: str) -> dict[str, object]:
    # Imported after the limits are set, so that they hold for loading the decoders too.
    from clipmill_probe.errors import MediaError  # noqa: PLC0415

    try:
        return {"facts": _facts(path, depth, kind)}
    except MediaError as error:
        return {"error": {"code": error.code, "message": error.message}}
    except MemoryError:
        limit = f"{MEMORY_BYTES >> 30} GiB of memory"
        return {"error": {"code": "TooLarge", "message": f"{path.name}: decoding exceeds {limit}"}}
    except Exception as error:
        # What no rule foresees is a property of the file, too: it gets a code like the others.
        message = f"{path.name}: cannot be read: {type(error).__name__}: {error}"
        return {"error": {"code": "Damaged", "message": " ".join(message.split())[:300]}}


def _facts(path: Path, depth: str, kind: str) -> Mapping[str, object]:
    # Only the decoders that this kind needs are loaded.
    if kind == "image":
        from clipmill_probe.still_image import read_image  # noqa: PLC0415

        return read_image(path)
    if kind == "pictures":
        from clipmill_probe.picture_damage import count_pictures  # noqa: PLC0415

        start_s, end_s = (Fraction(time) for time in depth.split("-"))
        return count_pictures(path, start_s=start_s, end_s=end_s)
    from clipmill_probe.decode import read_media  # noqa: PLC0415
    from clipmill_probe.depth import Depth  # noqa: PLC0415

    return read_media(path, depth=Depth(depth), allow_audio_only=kind == "sound")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
