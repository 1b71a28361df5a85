"""Programs that a job runs: what a reader of their lines raises, and their exit codes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from clipmill_job.subprocesses import ProcessFailed, run

# More lines than a pipe holds.
TALKATIVE = "import sys; [print('x' * 99) for _ in range(5000)]; sys.exit(int(sys.argv[1]))"


def _fail(_: str) -> None:
    raise ValueError("not a progress line")


@pytest.mark.parametrize("exit_code", [0, 3])
def test_an_error_in_the_reader_is_raised(tmp_path: Path, exit_code: int) -> None:
    """The program is read to its end, so that it does not wait for a full pipe."""
    argv = (sys.executable, "-c", TALKATIVE, str(exit_code))
    with pytest.raises(ValueError, match="not a progress line"):
        run(argv, deadline_s=30, scratch=tmp_path, on_line=_fail)


def test_exit_code(tmp_path: Path) -> None:
    """Every line reaches the reader before the exit code is raised."""
    lines: list[str] = []
    argv = (sys.executable, "-c", TALKATIVE, "3")
    with pytest.raises(ProcessFailed) as failed:
        run(argv, deadline_s=30, scratch=tmp_path, on_line=lines.append)
    assert failed.value.returncode == 3
    assert len(lines) == 5000
