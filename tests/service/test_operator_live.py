"""The CustomResourceDefinitions on a real API server."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from clipmill.spec import Manifest
from controlplane import ControlPlane
from manifests import BAD, GOOD, manifest, samples
from show_manifests import BAD_SHOWS, GOOD_SHOWS, show_manifest, show_samples

CREATED = "created (server dry run)"


def dry_run(plane: ControlPlane, resource: dict[str, Any]) -> str:
    """Return what kubectl prints when the API server validates a resource."""
    words = ("create", "--dry-run=server", "--validate=strict", "-f", "-")
    return plane.kubectl(*words, given=yaml.safe_dump(resource), check=False)


@pytest.mark.parametrize("spec", GOOD.values(), ids=GOOD)
def test_valid_specs_are_accepted(plane: ControlPlane, spec: dict[str, Any]) -> None:
    """By the API server as by the models."""
    assert CREATED in dry_run(plane, manifest(spec))


@pytest.mark.parametrize(("spec", "content"), BAD.values(), ids=BAD)
def test_invalid_specs_are_refused(plane: ControlPlane, spec: dict[str, Any], content: str) -> None:
    """By the API server as by the models, with a message that names the same field or limit."""
    output = dry_run(plane, manifest(spec))
    assert "created" not in output
    assert content in output


@pytest.mark.parametrize("name", ["a.b", "x" * 64])
def test_a_name_must_be_a_valid_label(plane: ControlPlane, name: str) -> None:
    """Checked by the API server as by the models."""
    resource = manifest(GOOD["one clip of the library"], name)
    assert "metadata.name" in dry_run(plane, resource)
    with pytest.raises(ValidationError, match=r"metadata\.name"):
        Manifest.model_validate(resource)


@pytest.mark.parametrize("sample", samples().values(), ids=samples())
def test_samples_are_valid(plane: ControlPlane, sample: dict[str, Any]) -> None:
    """Each file of manifests/samples."""
    assert CREATED in dry_run(plane, sample)


@pytest.mark.parametrize("spec", GOOD_SHOWS.values(), ids=GOOD_SHOWS)
def test_valid_shows_are_accepted(plane: ControlPlane, spec: dict[str, Any]) -> None:
    """By the API server as by the models."""
    assert CREATED in dry_run(plane, show_manifest(spec))


@pytest.mark.parametrize(("spec", "content"), BAD_SHOWS.values(), ids=BAD_SHOWS)
def test_invalid_shows_are_refused(plane: ControlPlane, spec: dict[str, Any], content: str) -> None:
    """By the API server as by the models, with a message that names the same field or limit."""
    output = dry_run(plane, show_manifest(spec))
    assert "created" not in output
    assert content in output


@pytest.mark.parametrize("sample", show_samples().values(), ids=show_samples())
def test_samples_of_shows_are_valid(plane: ControlPlane, sample: dict[str, Any]) -> None:
    """Each file of manifests/samples."""
    assert CREATED in dry_run(plane, sample)


def test_shows_are_listed(plane: ControlPlane) -> None:
    """`kubectl get shows` prints the schedule, times, episode, and whether it is ready."""
    plane.kubectl(
        "create", "-f", "-", given=yaml.safe_dump(show_manifest(GOOD_SHOWS["a feed"], "listed"))
    )
    status = {
        "observedGeneration": 1,
        "nextScheduleTime": "2036-11-27T18:00:00Z",
        "lastScheduleTime": "2026-11-20T18:00:00Z",
        "lastEpisode": {
            "name": "listed-20261120-1800", "number": 3, "state": "AwaitingApproval",
            "scheduledAt": "2026-11-20T18:00:00Z",
        },
        "conditions": [
            {
                "type": "Ready", "status": "True", "reason": "Scheduled", "message": "",
                "lastTransitionTime": "2026-11-20T18:00:00Z", "observedGeneration": 1,
            }
        ],
    }  # fmt: skip
    patch = json.dumps({"status": status})
    words = ("patch", "show", "listed", "--subresource=status", "--type=merge", "-p", patch)
    plane.kubectl(*words)
    header, row = plane.kubectl("get", "show", "listed").splitlines()
    names = ["NAME", "SCHEDULE", "SUSPENDED", "READY", "REASON", "NEXT", "LAST", "EPISODE", "STATE"]
    assert header.split()[:9] == names
    assert "0 18 * * FRI" in row
    for cell in ("false", "True", "Scheduled", "2036-11-27T18:00:00Z", "listed-20261120-1800"):
        assert cell in row.split()
    plane.kubectl("delete", "show", "listed")


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("compilation.spec.clips.transition", "40ms to 10s"),
        ("compilation.status.phase", "Refused"),
        ("compilation.status.conditions", "observedGeneration"),
        ("show.spec", "cron expression"),
        ("show.spec.sources.twitch", "exactly one"),
        ("show.spec.select", "largest number of clips"),
        ("show.spec.template.overlays", "overlays"),
        ("show.status", "nextScheduleTime"),
    ],
)
def test_kubectl_explain(plane: ControlPlane, path: str, content: str) -> None:
    """Every field is described, with its limits and enumerations."""
    output = plane.kubectl("explain", path)
    assert "DESCRIPTION:" in output
    assert "<no description>" not in output
    assert content in output


@pytest.mark.parametrize("number", [90, 1.5])
def test_a_duration_without_quotes_is_named(plane: ControlPlane, number: float) -> None:
    """A CRD has no field that is text or a number with decimals: the error says to write text."""
    output = dry_run(plane, manifest({"clips": [{"mediaId": "m-abcd1234", "start": number}]}))
    assert "spec.clips[0].start" in output
    assert "must be of type string" in output
    quoted = manifest({"clips": [{"mediaId": "m-abcd1234", "start": str(number)}]})
    assert CREATED in dry_run(plane, quoted)


def test_yaml_reads_the_names_of_a_focus(plane: ControlPlane) -> None:
    """A field of the name y would be true to kubectl, which reads YAML 1.1."""
    text = yaml.safe_dump(manifest({"clips": [{"mediaId": "m-abcd1234"}]}))
    focus = "- {mediaId: m-abcd1234, focus: {left: 30, top: 50}}"
    words = ("create", "--dry-run=server", "--validate=strict", "-f", "-", "-o", "json")
    output = plane.kubectl(*words, given=text.replace("- mediaId: m-abcd1234", focus))
    (clip,) = json.loads(output)["spec"]["clips"]
    assert clip["focus"] == {"left": 30, "top": 50}
