"""Commands and values of docs/install.md: each is rendered by Helm."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml

from chart_objects import run_helm
from generate import CHART, KUBERNETES_VERSION, ROOT

PAGE = (ROOT / "docs/install.md").read_text()
VALUES = re.findall(r"```yaml\n(# values\.yaml\n.*?)```", PAGE, re.DOTALL)
SHELL = "".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)).replace("\\\n", " ")
HELM = [shlex.split(line) for line in SHELL.splitlines() if line.startswith("helm ")]


@pytest.mark.parametrize(
    "command", [c for c in HELM if c[1] in ("install", "upgrade")], ids=" ".join
)
def test_each_install_renders(command: list[str], tmp_path: Path) -> None:
    """With its options; `-f` takes the values that the page shows after it."""
    (tmp_path / "values.yaml").write_text(VALUES[0])
    options = [o for o in command[2:] if o not in ("--wait", "--reset-then-reuse-values")]
    options = [str(tmp_path / o) if o == "values.yaml" else o for o in options]
    options = [str(CHART) if o == "charts/clipmill" else o for o in options]
    done = run_helm("template", *options, "--kube-version", KUBERNETES_VERSION)
    assert done.returncode == 0, done.stderr
    kinds = {o["kind"] for o in yaml.safe_load_all(done.stdout) if o}
    assert ("StatefulSet" in kinds) == ("database.mode=bundled" in command)
    assert ("ClusterRoleBinding" in kinds) == ("watchNamespaces={blue,green}" not in command)


@pytest.mark.parametrize("values", VALUES)
def test_each_set_of_values_renders(values: str, tmp_path: Path) -> None:
    """The chart accepts what the page shows."""
    (tmp_path / "values.yaml").write_text(values)
    where = ("clipmill", str(CHART), "-f", str(tmp_path / "values.yaml"))
    done = run_helm("template", *where, "--kube-version", KUBERNETES_VERSION)
    assert done.returncode == 0, done.stderr


def test_the_page_names_objects_of_the_chart() -> None:
    """Deployments, labels and Secrets that the commands name exist."""
    done = run_helm("template", "clipmill", str(CHART), "--kube-version", KUBERNETES_VERSION)
    named = set(re.findall(r"(?:deployment/|secret -n clipmill )(clipmill-[a-z]+)", SHELL))
    assert named == {"clipmill-api", "clipmill-operator", "clipmill-keys"}
    assert all(name in done.stdout for name in named)
    claims = [o for o in yaml.safe_load_all(done.stdout) if o["kind"] == "PersistentVolumeClaim"]
    assert claims[0]["metadata"]["labels"]["app.kubernetes.io/instance"] == "clipmill"
