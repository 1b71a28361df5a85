"""Mount small disks, which are full when a test wants it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest


class Disk:
    """A disk of a folder, whose size can be changed."""

    def __init__(self, folder: Path, size: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        command = ("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("mounting a disk needs root")

    def resize(self, size: str) -> None:
        """Change its size; its files stay."""
        command = ("mount", "-o", f"remount,size={size}", str(self.folder))
        subprocess.run(command, check=True)

    def unmount(self) -> None:
        """Remove it with its files."""
        subprocess.run(("umount", "-l", str(self.folder)), check=True)
