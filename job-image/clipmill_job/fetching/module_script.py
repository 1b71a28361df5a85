"""Executables for yt-dlp that run a module of this package."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path


def write_module_script(path: Path, module: str, *arguments: str) -> str:
    """Write an executable that runs a module, with arguments before its own; return its path."""
    argv = (sys.executable, "-I", "-m", module, *arguments)
    path.write_text(f'#!/bin/sh\nexec {shlex.join(argv)} "$@"\n')
    path.chmod(0o700)
    return str(path)
