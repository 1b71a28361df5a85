"""Run the copying process and read for it: the side that has the connections."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from clipmill_job import subprocesses
from clipmill_job.excerpting.piped_file import HEAD_BYTES

WRITER = (sys.executable, "-I", "-m", "clipmill_job.excerpting.excerpt_writer")
# The copying process asks for no more at a time.
LARGEST_READ = 4 * 1024 * 1024


class Readable(Protocol):
    """Something that is read by ranges."""

    def read(self, offset: int, size: int) -> bytes:
        """Return bytes from an offset on."""
        ...


def write_excerpt(
    request: dict[str, Any], sources: Sequence[Readable], folder: Path
) -> dict[str, Any]:
    """Return the reply of the copying process; see `excerpt_writer`.

    Args:
        request: What to copy.
        sources: What the process may read, by number.
        folder: Its working directory.
    """
    with subprocesses.conversation(WRITER, scratch=folder) as (child_in, child_out):
        child_in.write(json.dumps(request).encode() + b"\n")
        child_in.flush()
        for line in child_out:
            message: dict[str, Any] = json.loads(line)
            if "read" not in message:
                return message
            number, offset, size = message["read"]
            data = sources[number].read(int(offset), min(int(size), LARGEST_READ))
            child_in.write(len(data).to_bytes(HEAD_BYTES) + data)
            child_in.flush()
    return {"whole": "its packets cannot be read alone"}
