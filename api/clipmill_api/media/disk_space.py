"""Free space on the disk of the state folder: a floor for uploads, and a reserve for deletions."""

from __future__ import annotations

import errno
import logging
import os
import shutil
from pathlib import Path

from clipmill_api.http.problem_details import disk_full

log = logging.getLogger(__name__)
MAX_FLOOR_BYTES = 1024**3
FLOOR_SHARE = 0.02
MAX_RESERVE_BYTES = 16 * 1024**2
# As much as two writes of an upload.
MARGIN_BYTES = 2 * 1024**2


class DiskSpace:
    """Refuses bytes before the disk is full, and frees a reserve so that rows can be deleted.

    Args:
        folder: The state folder.
        floor_bytes: Bytes that uploads leave free; 0 for 2 % of the disk, 1 GiB at most.
    """

    def __init__(self, folder: Path, floor_bytes: int) -> None:
        self._folder = folder
        self._reserve = folder / ".reserve"
        total = shutil.disk_usage(folder).total
        default = min(MAX_FLOOR_BYTES, int(total * FLOOR_SHARE))
        self.floor_bytes = floor_bytes or default
        self._reserve_bytes = min(MAX_RESERVE_BYTES, self.floor_bytes // 4)

    def free_bytes(self) -> int:
        """Return the bytes that are free for an unprivileged user."""
        return shutil.disk_usage(self._folder).free

    def is_low(self) -> bool:
        """Return whether uploads are refused, or the next bytes of one may be."""
        return self.free_bytes() < self.floor_bytes + MARGIN_BYTES

    def require(self, size_bytes: int) -> None:
        """Raise ApiProblem 507 if the floor would not be kept after so many more bytes."""
        free = self.free_bytes()
        if free - size_bytes < self.floor_bytes:
            raise disk_full(freeBytes=free, floorBytes=self.floor_bytes)

    def make_room(self) -> None:
        """Delete the reserve if little space is left: a deletion writes before it frees."""
        if self.is_low() and self._reserve.exists():
            self._reserve.unlink(missing_ok=True)
            log.warning("disk reserve released bytes=%d", self._reserve_bytes)

    def restore_reserve(self) -> None:
        """Create the reserve if it is missing and there is space for it."""
        if self._reserve.exists() or self._reserve_bytes == 0:
            return
        if self.free_bytes() - self._reserve_bytes < self.floor_bytes + MARGIN_BYTES:
            return
        try:
            with self._reserve.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, self._reserve_bytes)
        except OSError as error:
            self._reserve.unlink(missing_ok=True)
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EOPNOTSUPP):
                raise
            log.warning("disk reserve not created error=%s", error)
