"""Measure the operator: first Jobs, whole runs, and many resources at rest.

A real API server and Job controller and a real Clipmill API run on this machine, without kubelet.
Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import urllib3

# First: it makes the folder of the tests importable.
from benchmarks.first_jobs import first_jobs
from benchmarks.operator_figures import ROOT, served
from benchmarks.played_runs import play
from benchmarks.resting_resources import rest
from clipmaker import clip
from controlplane import ControlPlane, binaries, control_plane
from harness import Harness, library_clip


def parsed() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.operator_cost", description=__doc__)
    counts = {
        "--first-jobs": "Compilations at once until each has its first Job, beside as many bare"
        " Jobs by kubectl, and beside the same writes without any decision",
        "--play": "Compilations at once to their end, with simulated pods; fails if one is stuck",
        "--rest": "Compilations that have ended, while nothing happens",
    }
    for name, text in counts.items():
        parser.add_argument(name, type=int, default=0, metavar="N", help=text)
    parser.add_argument("--seconds", type=float, default=90, help="of the rest")
    options = parser.parse_args()
    if not (options.first_jobs or options.play or options.rest):
        parser.error("nothing to measure: --first-jobs 500, --play 500 or --rest 5000")
    return options


def measured(
    plane: ControlPlane, api: Harness, folder: Path, options: argparse.Namespace
) -> dict[str, Any]:
    """Return the figures of what the options ask for."""
    path, figures = clip(folder / "two.mp4"), {}
    if options.first_jobs:
        media = library_clip(api.client(api.settings.default_owner_key), path).id
        figures |= first_jobs(plane, api, folder, options.first_jobs, media)
    if options.play:
        figures |= play(plane, api, folder, options.play, path)
    if options.rest:
        figures |= rest(plane, api, folder, options.rest, options.seconds)
    return figures


def main() -> None:
    """Measure and print the figures."""
    options = parsed()
    # The control plane of a measurement has a certificate of its own.
    urllib3.disable_warnings()
    programs = binaries()
    if programs is None:
        sys.exit("no etcd and kubebox: `./run cluster up` builds them (CLIPMILL_KUBE_BIN)")
    folder = Path(tempfile.mkdtemp(prefix="clipmill-benchmark-"))
    crd = ROOT / "manifests/crd.yaml"
    with control_plane(folder, programs, crd) as plane, served(folder) as api:
        print(json.dumps(measured(plane, api, folder, options)))


if __name__ == "__main__":
    main()
