"""Writes what follows from other files: the values schema, the README's table, the CRD template,
manifests/install.yaml. `--check` writes nothing and fails when one is stale."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from chart_values import read, schema, table

ROOT = Path(__file__).parents[1]
CHART = ROOT / "charts/clipmill"
INSTALL = ROOT / "manifests/install.yaml"
BUILT = Path(".cache/clipmill-kind/bin/helm")
"""Where `./run cluster up` puts the helm that it builds, below the home folder."""
KUBERNETES = "1.34.0"
"""The version to render for; a helm that was built plainly takes itself for 1.20."""
NAMESPACE = """\
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


def helm(environ: Mapping[str, str]) -> str | None:
    """The helm to use: $HELM, the one on the PATH, the one that the cluster's set-up built."""
    built = Path.home() / BUILT
    return environ.get("HELM") or shutil.which("helm") or (str(built) if built.exists() else None)


def schema_text() -> str:
    """values.schema.json."""
    values = read((CHART / "values.yaml").read_text())
    return json.dumps(schema(values), indent=2) + "\n"


def readme_text() -> str:
    """The chart's README with a fresh table."""
    fresh = table(read((CHART / "values.yaml").read_text()))
    before, _, rest = (CHART / "README.md").read_text().partition("<!-- values -->\n")
    _, _, after = rest.partition("<!-- end of values -->")
    return f"{before}<!-- values -->\n{fresh}<!-- end of values -->{after}"


def crd_text() -> str:
    """The CRD as a template: installed and kept as the values say."""
    crd = (ROOT / "manifests/crd.yaml").read_text().replace("{{", '{{ "{{" }}')
    head, _, body = crd.partition("\nmetadata:\n")
    head = head[head.index("apiVersion:") :]
    kept = (
        "  {{- if .Values.crds.keep }}\n"
        "  annotations:\n"
        "    helm.sh/resource-policy: keep\n"
        "  {{- end }}\n"
    )
    opening = (
        "{{- /* From manifests/crd.yaml by `make generate`. */}}\n{{- if .Values.crds.install }}\n"
    )
    return f"{opening}{head}\nmetadata:\n{kept}{body.rstrip()}\n{{{{- end }}}}\n"


def install_text(binary: str) -> str:
    """The chart with its defaults, as plain objects."""
    command = [binary, "template", "clipmill", str(CHART), "-n", "clipmill", "--skip-tests"]
    command += ["--kube-version", KUBERNETES]
    made = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    helms = r"^ +(helm\.sh/chart|app\.kubernetes\.io/managed-by): .*\n|^# Source: .*\n"
    plain = re.sub(helms, "", made, flags=re.MULTILINE)
    return NAMESPACE + re.sub(r"\n{2,}", "\n", plain)  # Helm 3 and 4 differ in blank lines


def stale(binary: str | None, *, write: bool) -> list[str]:
    """Files that do not follow from their sources; written anew if `write`."""
    found = []
    made = {
        CHART / "values.schema.json": schema_text,
        CHART / "README.md": readme_text,
        CHART / "templates/crd.yaml": crd_text,
    }
    if binary:
        made[INSTALL] = lambda: install_text(binary)
    for path, text in made.items():
        fresh = text()
        if not path.exists() or path.read_text() != fresh:
            found.append(str(path.relative_to(ROOT)))
            if write:
                path.parent.mkdir(exist_ok=True)
                path.write_text(fresh)
    return found


def main() -> int:
    """Generate, or check; the exit code."""
    check = sys.argv[1:] == ["--check"]
    binary = helm(os.environ)
    found = stale(binary, write=not check)
    if not binary:
        sys.stderr.write(f"{INSTALL.name} left alone: no helm ($HELM, PATH or ~/{BUILT})\n")
    for name in found:
        sys.stderr.write(f"{name} {'is stale: run `make generate`' if check else 'written'}\n")
    return 1 if check and found else 0


if __name__ == "__main__":
    sys.exit(main())
