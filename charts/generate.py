"""Generate the files of the chart that follow from others, and manifests/install.yaml.

They are the values schema, the table in the chart's README, and the CRD template. With `--check`
nothing is written, and the exit code is 1 if a file is stale.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from chart_values import read_values, values_schema, values_table

ROOT = Path(__file__).parents[1]
CHART = ROOT / "charts/clipmill"
INSTALL = ROOT / "manifests/install.yaml"
# The helm that `./run cluster up` builds, below the home folder.
BUILT_HELM = Path(".cache/clipmill-kind/bin/helm")
# The version to render for: a helm that was built without one takes itself for 1.20.
KUBERNETES_VERSION = "1.34.0"
TABLE_START, TABLE_END = "<!-- values -->\n", "<!-- end of values -->"
INSTALL_HEADER = """\
# Clipmill without Helm: kubectl apply --server-side -f manifests/install.yaml
# Generated from charts/clipmill by `make generate`.
---
apiVersion: v1
kind: Namespace
metadata:
  name: clipmill
  labels:
    pod-security.kubernetes.io/enforce: restricted
"""


def find_helm(environ: Mapping[str, str]) -> str | None:
    """Return the helm to use: $HELM, the one on the PATH, or the one that the cluster built."""
    built = Path.home() / BUILT_HELM
    return environ.get("HELM") or shutil.which("helm") or (str(built) if built.exists() else None)


def schema_text() -> str:
    """Return the text of values.schema.json."""
    values = read_values((CHART / "values.yaml").read_text())
    return json.dumps(values_schema(values), indent=2) + "\n"


def readme_text() -> str:
    """Return the chart's README with a new table."""
    table = values_table(read_values((CHART / "values.yaml").read_text()))
    before, _, rest = (CHART / "README.md").read_text().partition(TABLE_START)
    _, _, after = rest.partition(TABLE_END)
    return f"{before}{TABLE_START}{table}{TABLE_END}{after}"


def crd_text() -> str:
    """Return the CRDs as a template that `crds.install` and `crds.keep` control."""
    crds = (ROOT / "manifests/crd.yaml").read_text().replace("{{", '{{ "{{" }}')
    bodies = crds[crds.index("apiVersion:") :].rstrip().split("\n---\n")
    opening = (
        "{{- /* From manifests/crd.yaml by `make generate`. */}}\n{{- if .Values.crds.install }}\n"
    )
    return opening + "\n---\n".join(map(_kept, bodies)) + "\n{{- end }}\n"


def _kept(crd: str) -> str:
    """Return a CRD that the chart leaves at its removal if `crds.keep` is set."""
    head, _, body = crd.partition("\nmetadata:\n")
    annotations = (
        "  {{- if .Values.crds.keep }}\n"
        "  annotations:\n"
        "    helm.sh/resource-policy: keep\n"
        "  {{- end }}\n"
    )
    return f"{head}\nmetadata:\n{annotations}{body}"


def install_text(helm: str) -> str:
    """Return the chart with its default values as plain objects."""
    command = [helm, "template", "clipmill", str(CHART), "-n", "clipmill", "--skip-tests"]
    command += ["--kube-version", KUBERNETES_VERSION]
    rendered = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    helm_lines = r"^ +(helm\.sh/chart|app\.kubernetes\.io/managed-by): .*\n|^# Source: .*\n"
    plain = re.sub(helm_lines, "", rendered, flags=re.MULTILINE)
    return INSTALL_HEADER + re.sub(r"\n{2,}", "\n", plain)  # Helm 3 and 4 differ in blank lines


def stale_files(helm: str | None, *, write: bool) -> list[str]:
    """Return the generated files that differ from their sources; write them if `write`."""
    stale = []
    generators = {
        CHART / "values.schema.json": schema_text,
        CHART / "README.md": readme_text,
        CHART / "templates/crd.yaml": crd_text,
    }
    if helm:
        # After the CRD template, which it contains.
        generators[INSTALL] = lambda: install_text(helm)
    for path, generate in generators.items():
        text = generate()
        if path.exists() and path.read_text() == text:
            continue
        stale.append(str(path.relative_to(ROOT)))
        if write:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
    return stale


def main() -> int:
    """Generate or check the files. Return the exit code."""
    is_check = sys.argv[1:] == ["--check"]
    helm = find_helm(os.environ)
    stale = stale_files(helm, write=not is_check)
    if not helm:
        sys.stderr.write(f"{INSTALL.name} skipped: no helm ($HELM, PATH or ~/{BUILT_HELM})\n")
    for name in stale:
        sys.stderr.write(f"{name} {'is stale: run `make generate`' if is_check else 'written'}\n")
    return 1 if is_check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
