"""The folder that receives a compilation's results: videos, companion files and report.json."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path

from clipmill.protocol import CompilationView, OutputResult
from clipmill.protocol.companion_kinds import COMPANION_FILES
from clipmill_cli.local.run_report import Report, run_report
from clipmill_client.client import Client

REPORT_FILE = "report.json"


def create_writable(folder: Path) -> Path:
    """Create the folder before anything is rendered.

    Raises:
        OSError: the folder cannot be created or written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):
        raise PermissionError(13, "Permission denied", str(folder))
    return folder


def download_results(
    client: Client, view: CompilationView, folder: Path, spent_s: Mapping[str, float]
) -> Report:
    """Download all files of a finished compilation, and write report.json beside them.

    Args:
        spent_s: seconds by stage, for the report.
    """
    started = time.monotonic()
    files = {output.name: _download(client, view, output, folder) for output in view.outputs}
    plan = client.plan(view.id)
    if files:
        spent_s = {**spent_s, "download": time.monotonic() - started}
    report = run_report(view, plan, spent_s=spent_s, files=files)
    text = json.dumps(report, indent=2, ensure_ascii=False)
    (folder / REPORT_FILE).write_text(text + "\n", encoding="utf-8")
    return report


def _download(
    client: Client, view: CompilationView, output: OutputResult, folder: Path
) -> dict[str, str]:
    """Download the files of one output; return their names by label."""
    names = {"video": f"{output.name}.{output.container}"}
    names |= {
        file.label: file.name(output.name) for file in COMPANION_FILES if file.media_id(output)
    }
    for name in names.values():
        # A partial download of an earlier run may belong to another video.
        (folder / f"{name}.part").unlink(missing_ok=True)
        client.download_output(view.id, name, folder / name)
    return names


def file_names(report: Report) -> list[str]:
    """Return the names of all files in the folder that belong to a report."""
    names = [name for output in report["outputs"] for name in output["files"].values()]
    return [*names, REPORT_FILE]
