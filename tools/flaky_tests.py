"""Compare two JUnit reports: a run of the tests, and the rerun of those that failed.

Run `python tools/flaky_tests.py FIRST.xml SECOND.xml`. It prints `FLAKY name` for each test that
failed and then passed, and `NOT RERUN name` for each that failed and did not run again.
The exit code is 1 if there is one of the latter. It needs Python only.
"""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree


def outcomes(report: str) -> dict[str, str]:
    """Return the outcome of each test in a JUnit report: passed, failed or skipped."""
    cases = ElementTree.fromstring(report).iter("testcase")  # noqa: S314  pytest wrote it
    return {f"{case.get('classname')}::{case.get('name')}": _outcome(case) for case in cases}


def _outcome(case: ElementTree.Element) -> str:
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    return "passed" if case.find("skipped") is None else "skipped"


def compare(first: dict[str, str], second: dict[str, str]) -> list[str]:
    """Return a line for each test that failed at first and does not fail any more."""
    failed = [name for name, outcome in first.items() if outcome == "failed"]
    words = {"passed": "FLAKY", "skipped": "NOT RERUN"}
    states = [(name, second.get(name, "skipped")) for name in failed]
    return [f"{words[state]} {name}" for name, state in states if state in words]


def main(first: str, second: str) -> int:
    """Print the comparison of two report files and return the exit code."""
    lines = compare(outcomes(Path(first).read_text()), outcomes(Path(second).read_text()))
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return int(any(line.startswith("NOT RERUN") for line in lines))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
