"""The copying process: reads packets of a part of a source and writes them to a file of their own.

In: a line of JSON on stdin, see `packet_copy.copy_part`. Out: lines of JSON, {"read": [number,
offset, size]} for bytes of a source, each answered on stdin by their length and the bytes, and at
last {"excerpt": {path, at_us, rest_us}} or {"whole": reason}.
"""

from __future__ import annotations

import json
import resource
import sys
from typing import Any

MEMORY_BYTES = 2 * 1024**3
CPU_S = 600


def main() -> int:
    """Limit this process, copy the part and write the reply."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    reply = _reply(json.loads(sys.stdin.buffer.readline()))
    sys.stdout.write(json.dumps(reply) + "\n")
    sys.stdout.flush()
    return 0


def _reply(request: dict[str, Any]) -> dict[str, Any]:
    # Imported after the limits are set, so that they hold for loading the demuxers too.
    import av  # noqa: PLC0415

    from clipmill_job.excerpting.opened_source import UnsuitableSource  # noqa: PLC0415
    from clipmill_job.excerpting.packet_copy import copy_part  # noqa: PLC0415

    try:
        return {"excerpt": copy_part(request)}
    except UnsuitableSource as error:
        return {"whole": str(error)}
    except (av.FFmpegError, ValueError, MemoryError) as error:
        return {"whole": f"its packets cannot be copied: {type(error).__name__}: {error}"[:300]}


if __name__ == "__main__":
    sys.exit(main())
