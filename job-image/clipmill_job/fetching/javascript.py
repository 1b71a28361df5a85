"""A JavaScript interpreter for yt-dlp: QuickJS as a library, behind the name that yt-dlp calls.

yt-dlp runs parts of YouTube's player to read its addresses. The engine has no host functions: no
files, no network, no programs, no timers. A script's only output is what it logs.
"""

from __future__ import annotations

import resource
import sys
from importlib.metadata import version
from pathlib import Path

from clipmill_job.fetching.module_script import write_module_script

MEMORY_BYTES = 512 * 1024 * 1024
CPU_S = 60
CONSOLE = """
globalThis.logged = [];
globalThis.console = {log: (...words) => { logged.push(words.join(" ")); }};
"""


def write_interpreter(folder: Path) -> str:
    """Write an executable `qjs` into a folder and return its path."""
    return write_module_script(folder / "qjs", __name__)


def run_script(script: str, *, cpu_s: int = CPU_S, memory_bytes: int = MEMORY_BYTES) -> str:
    """Run a script and return what it logs, line by line.

    Raises:
        quickjs.JSException: The script failed or exceeded a limit.
    """
    import quickjs  # noqa: PLC0415  only the interpreter's process loads it

    context = quickjs.Context()
    context.set_memory_limit(memory_bytes)
    # With a time limit set, the engine refuses every call into Python.
    context.set_time_limit(cpu_s)
    context.eval(CONSOLE)
    context.eval(script)
    while context.execute_pending_job():
        pass
    return str(context.eval('logged.join("\\n")'))


def main(argv: list[str]) -> int:
    """Run `qjs --script FILE`; any other arguments print the version."""
    if argv[:1] != ["--script"]:
        sys.stdout.write(f"QuickJS-ng version {version('quickjs-ng')}\n")
        return 1
    import quickjs  # noqa: PLC0415

    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))
    script = Path(argv[1]).read_text(encoding="utf-8")
    try:
        sys.stdout.write(run_script(script) + "\n")
    except quickjs.JSException as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
