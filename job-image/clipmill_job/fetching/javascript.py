"""JavaScript for yt-dlp: QuickJS with no door to the outside, under the name that yt-dlp calls.

YouTube's player has to be run to learn its addresses. The engine is a library without host
functions: no files, no network, no programs, no clock to wait by. What a script logs is all of it.
"""

from __future__ import annotations

import resource
import shlex
import sys
from importlib.metadata import version
from pathlib import Path

MEMORY_BYTES = 512 * 1024 * 1024
CPU_S = 60
CONSOLE = """
globalThis.logged = [];
globalThis.console = {log: (...words) => { logged.push(words.join(" ")); }};
"""


def interpreter(folder: Path) -> str:
    """The path of a `qjs` for yt-dlp, written into a folder of the job's."""
    path = folder / "qjs"
    words = (sys.executable, "-I", "-m", __name__)
    path.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
    path.chmod(0o700)
    return str(path)


def logged(script: str, *, cpu_s: int = CPU_S, memory_bytes: int = MEMORY_BYTES) -> str:
    """What a script logs, line by line. Raises quickjs.JSException: its fault, or a limit."""
    import quickjs  # noqa: PLC0415  only its own process loads it

    context = quickjs.Context()
    context.set_memory_limit(memory_bytes)
    # With a limit of time the engine refuses every call into Python: not one is offered.
    context.set_time_limit(cpu_s)
    context.eval(CONSOLE)
    context.eval(script)
    while context.execute_pending_job():
        pass
    return str(context.eval('logged.join("\\n")'))


def main(words: list[str]) -> int:
    """`qjs --script FILE`, or anything else for the version; fewer rights than the downloader."""
    if words[:1] != ["--script"]:
        sys.stdout.write(f"QuickJS-ng version {version('quickjs-ng')}\n")
        return 1
    import quickjs  # noqa: PLC0415

    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))
    script = Path(words[1]).read_text(encoding="utf-8")
    try:
        sys.stdout.write(logged(script) + "\n")
    except quickjs.JSException as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
