"""The definition and the operator's objects before a real API server; no kubelet, no cluster."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from clipmill.spec import Manifest
from controlplane import ControlPlane
from manifests import BAD, GOOD, manifest, samples


def judged(plane: ControlPlane, given: dict[str, Any]) -> str:
    """What the API server says to a resource, without taking it."""
    words = ("create", "--dry-run=server", "--validate=strict", "-f", "-")
    return plane.kubectl(*words, given=yaml.safe_dump(given), check=False)


@pytest.mark.parametrize("spec", GOOD.values(), ids=GOOD)
def test_good_specs_are_taken(plane: ControlPlane, spec: dict[str, Any]) -> None:
    """By the API server as by the models."""
    assert "created (server dry run)" in judged(plane, manifest(spec))


@pytest.mark.parametrize(("spec", "said"), BAD.values(), ids=BAD)
def test_bad_specs_are_refused(plane: ControlPlane, spec: dict[str, Any], said: str) -> None:
    """By the API server as by the models, and with the same words."""
    answer = judged(plane, manifest(spec))
    assert "created" not in answer
    assert said in answer


@pytest.mark.parametrize("name", ["a.b", "x" * 64])
def test_a_name_that_is_no_label_is_refused(plane: ControlPlane, name: str) -> None:
    """By the API server as by the models."""
    assert "metadata.name: at most 63" in judged(
        plane, manifest(GOOD["one clip of the library"], name)
    )
    with pytest.raises(ValidationError, match=r"metadata\.name"):
        Manifest.model_validate(manifest(GOOD["one clip of the library"], name))


@pytest.mark.parametrize("sample", samples().values(), ids=samples())
def test_samples_are_good(plane: ControlPlane, sample: dict[str, Any]) -> None:
    """What people copy."""
    assert "created (server dry run)" in judged(plane, sample)


def test_explain_reads_well(plane: ControlPlane) -> None:
    """Each field of a clip with its sentence."""
    told = plane.kubectl("explain", "compilation.spec.clips.transition")
    assert "FIELDS:" in told
    assert "How long both shots overlap, 40ms to 10s." in told
