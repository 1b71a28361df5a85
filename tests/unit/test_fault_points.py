"""Faults are injected in tests only."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from clipmill import fault_points
from clipmill.environment import InvalidSettings
from clipmill.protocol import Stage, UploadPurpose
from clipmill_cli.local.job_processes import job_environ
from manifests import ROOT

PROGRAM = """
import os
from clipmill import fault_points
fault_points.load(os.environ)
for _ in range(3):
    try:
        fault_points.reach("api.result.recorded")
        print("passed", flush=True)
    except OSError as error:
        print(error.errno, flush=True)
"""


def _run(fault: str, folder: Path, path: str = str(ROOT / "tests")) -> tuple[int, list[str], str]:
    env = {"CLIPMILL_FAULT": fault, "CLIPMILL_FAULT_FOLDER": str(folder), "PYTHONPATH": path}
    command = (sys.executable, "-c", PROGRAM)
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.split(), done.stderr


def test_points_do_nothing_without_the_variable() -> None:
    """Neither a point nor a child process's environment changes."""
    fault_points.load({})
    fault_points.reach("api.result.recorded")
    assert fault_points.variables({"PYTHONPATH": "/x"}) == {}
    assert "PYTHONPATH" not in job_environ("http://api", "key", 0, Path("/scratch"))


def test_a_fault_happens_once_at_its_point(tmp_path: Path) -> None:
    """SIGKILL or an error of the operating system; the second process passes."""
    assert _run("api.result.recorded:kill:2", tmp_path)[:2] == (-signal.SIGKILL, ["passed"])
    assert _run("api.result.recorded:kill:2", tmp_path)[:2] == (0, ["passed"] * 3)
    (tmp_path / "api.result.recorded").unlink()
    assert _run("api.result.recorded:ENOSPC", tmp_path)[:2] == (0, ["28", "passed", "passed"])


def test_a_program_without_the_injector_refuses_to_start(tmp_path: Path) -> None:
    """As in an image, which holds nothing of tests/."""
    code, out, err = _run("api.result.recorded:kill", tmp_path, path="")
    assert (code, out) == (1, [])
    assert InvalidSettings.__name__ in err
    dockerfiles = [path.read_text() for path in ROOT.glob("*/Dockerfile")]
    assert len(dockerfiles) == 3
    assert not [text for text in dockerfiles if "COPY tests" in text or "COPY . " in text]


def test_an_unknown_point_is_refused(tmp_path: Path) -> None:
    """A test cannot pass because its point does not exist."""
    code, _, err = _run("api.result.mistyped:kill", tmp_path)
    assert (code, "api.result.mistyped" in err) == (1, True)


@pytest.mark.parametrize("point", sorted(fault_points.POINTS))
def test_points_have_dotted_names(point: str) -> None:
    """Of a program, an area and a step."""
    assert point.split(".", maxsplit=1)[0] in ("api", "job", "serve", "operator")
    assert len(point.split(".")) in (3, 4)


def test_points_name_all_purposes_and_stages() -> None:
    """As the protocol has them."""
    assert tuple(UploadPurpose) == fault_points.PURPOSES
    assert tuple(Stage) == fault_points.STAGES
