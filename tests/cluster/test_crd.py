"""The table of good and bad specs before the cluster's own API server, and the samples."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from cluster.kubectl import find, kubectl
from manifests import BAD, GOOD, ROOT, manifest, samples
from show_manifests import show_samples

CRD = str(ROOT / "manifests/crd.yaml")


@pytest.fixture(scope="module", autouse=True)
def defined() -> Iterator[None]:
    """The definition is there; it goes again if no release had brought it."""
    brings = find("crd", "", "compilations.clipmill.dev") is None
    if brings:
        kubectl("apply", "--server-side", "-f", CRD)
        kubectl("wait", "--for=condition=Established", "--timeout=30s", "-f", CRD)
    yield
    if brings:
        kubectl("delete", "-f", CRD)


def judged(given: dict[str, Any]) -> str:
    """What the API server says to a resource, without taking it."""
    words = ("kubectl", "create", "--dry-run=server", "--validate=strict", "-f", "-")
    done = subprocess.run(
        words, input=json.dumps(given), capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("spec", GOOD.values(), ids=GOOD)
def test_good_specs_are_taken(spec: dict[str, Any]) -> None:
    """As by the models."""
    assert "created (server dry run)" in judged(manifest(spec))


@pytest.mark.parametrize(("spec", "said"), BAD.values(), ids=BAD)
def test_bad_specs_are_refused(spec: dict[str, Any], said: str) -> None:
    """As by the models, and with the same words."""
    answer = judged(manifest(spec))
    assert "created" not in answer
    assert said in answer


@pytest.mark.parametrize(
    "sample", (samples() | show_samples()).values(), ids=samples() | show_samples()
)
def test_samples_are_good(sample: dict[str, Any]) -> None:
    """What people copy."""
    assert "created (server dry run)" in judged(sample)
