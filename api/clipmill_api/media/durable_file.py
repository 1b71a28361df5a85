"""Files that survive a power cut as soon as they have their name."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def write_durably(path: Path, content: bytes | Path, *, temporary: Path) -> None:
    """Write a file: its bytes reach the disk before its name, and its name before the return.

    Args:
        path: The file. Its folder is created, and an existing file replaced.
        content: Its bytes, or a complete file that nobody writes to any more. That is linked
            where both are on one file system, else copied.
        temporary: A file name on the same file system that nothing else uses.
    """
    try:
        _write(temporary, content)
        _create_folder(path.parent)
        temporary.replace(path)
        if temporary.exists():  # Both were links to one file.
            temporary.unlink()
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def _write(path: Path, content: bytes | Path) -> None:
    if isinstance(content, Path) and _link(path, content):
        return
    with path.open("xb") as file:
        if isinstance(content, bytes):
            file.write(content)
        else:
            with content.open("rb") as source:
                shutil.copyfileobj(source, file, 1024 * 1024)
        file.flush()
        os.fsync(file.fileno())


def _link(path: Path, content: Path) -> bool:
    """Give a file a second name; return False where the file system cannot."""
    try:
        path.hardlink_to(content)
    except OSError:
        return False
    with path.open("rb") as file:
        os.fsync(file.fileno())
    return True


def _create_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Write the names in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
