"""An upgrade from the chart of each stored release: what Kubernetes forbids to change stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from chart_objects import MODES, run_helm, set_options
from generate import CHART, KUBERNETES_VERSION, ROOT

RELEASES = sorted((ROOT / "tests/releases").glob("*/chart.tgz"))
Key = tuple[str, str]
KEPT = ("Deployment", "PersistentVolumeClaim", "Service", "ServiceAccount", "StatefulSet")


def rendered(chart: Path, mode: str) -> dict[Key, dict[str, Any]]:
    """Return the objects of a chart by kind and name."""
    where = ("template", "clipmill", str(chart), "-n", "clipmill", "--skip-tests")
    done = run_helm(*where, "--kube-version", KUBERNETES_VERSION, *set_options(MODES[mode]))
    assert done.returncode == 0, done.stderr
    items = [item for item in yaml.safe_load_all(done.stdout) if item]
    return {(item["kind"], item["metadata"]["name"]): item for item in items}


@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.parent.name)
@pytest.mark.parametrize("mode", ["sqlite", "bundled"])
def test_an_upgrade_keeps_volumes_secrets_and_selectors(release: Path, mode: str) -> None:
    """By the same names and immutable fields; the address of the API stays too."""
    before, after = rendered(release, mode), rendered(CHART, mode)
    assert [key for key in before.keys() - after.keys() if key[0] in KEPT] == []
    for (kind, name), old in before.items():
        new = after.get((kind, name), old)
        if kind in ("Deployment", "StatefulSet"):
            assert new["spec"]["selector"] == old["spec"]["selector"]
            assert _secrets(new) >= _secrets(old)
        if kind == "StatefulSet":
            fields = ("serviceName", "volumeClaimTemplates")
            assert [new["spec"][f] for f in fields] == [old["spec"][f] for f in fields]
        if kind == "PersistentVolumeClaim":
            assert new["spec"] == old["spec"]
            assert new["metadata"]["annotations"] == old["metadata"]["annotations"]
        if kind == "Service":
            assert new["spec"]["selector"] == old["spec"]["selector"]
            assert new["spec"]["ports"] == old["spec"]["ports"], name


def _secrets(workload: dict[str, Any]) -> set[tuple[str, str]]:
    """Return the entries of Secrets that the containers read."""
    containers = workload["spec"]["template"]["spec"]["containers"]
    refs = [
        variable["valueFrom"]["secretKeyRef"]
        for container in containers
        for variable in container.get("env", [])
        if "secretKeyRef" in variable.get("valueFrom", {})
    ]
    return {(ref["name"], ref["key"]) for ref in refs}
