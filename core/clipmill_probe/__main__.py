"""The prober's child prints facts or a verdict as JSON.

Called as `python -I -m clipmill_probe FILE full|demux SECONDS video|sound|image`.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Mapping
from pathlib import Path

MEMORY_BYTES = 4 * 1024**3


def main(argv: list[str]) -> int:
    """Limit this process, examine the file, answer with facts or a verdict."""
    path, depth, seconds, kind = argv
    cpu_s = int(float(seconds)) * 4 + 1
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # After the limits: loading the decoders is part of what they limit.
    from clipmill_probe.errors import MediaError  # noqa: PLC0415

    try:
        answer: dict[str, object] = {"facts": _facts(Path(path), depth, kind)}
    except MediaError as error:
        answer = {"error": {"code": error.code, "message": error.message}}
    except MemoryError:
        memory = f"{MEMORY_BYTES >> 30} GiB of memory"
        message = f"{Path(path).name}: reading it takes more than {memory}"
        answer = {"error": {"code": "TooLarge", "message": message}}
    sys.stdout.write(json.dumps(answer))
    return 0


def _facts(path: Path, depth: str, kind: str) -> Mapping[str, object]:
    """What is asked for; only the decoders that it needs are loaded."""
    if kind == "image":
        from clipmill_probe.still_image import examine_image  # noqa: PLC0415

        return examine_image(path)
    from clipmill_probe.decode import examine  # noqa: PLC0415

    return examine(path, full=depth == "full", sound=kind == "sound")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
