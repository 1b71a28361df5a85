"""The operator's rights, as docs/operator.md has them: its tests give it these and no more."""

from __future__ import annotations

import re
from typing import Any

from controlplane import OPERATOR, ControlPlane
from manifests import ROOT

RBAC = "rbac.authorization.k8s.io"
ROW = re.compile(r"^\| (`[a-z0-9.]+`|core) \| `([a-z/]+)` \| ([a-z, ]+) \| .* \|$", re.M)
NAMESPACES = {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]}


def rules() -> list[dict[str, Any]]:
    """The page's table as rules."""
    page = (ROOT / "docs/operator.md").read_text().partition("## Rights")[2]
    return [
        {
            "apiGroups": ["" if group == "core" else group.strip("`")],
            "resources": [resource],
            "verbs": verbs.split(", "),
        }
        for group, resource, verbs in ROW.findall(page)
    ]


def grant(plane: ControlPlane, namespace: str) -> None:
    """The rights of an operator that watches one namespace."""
    plane.apply(
        *_role("Role", namespace, rules(), namespace), *_role("ClusterRole", "ns", [NAMESPACES])
    )


def _role(
    kind: str, name: str, given: list[dict[str, Any]], namespace: str = ""
) -> list[dict[str, Any]]:
    metadata = {"name": f"clipmill-{name}"} | ({"namespace": namespace} if namespace else {})
    subject = {"kind": "User", "name": OPERATOR, "apiGroup": RBAC}
    ref = {"kind": kind, "name": metadata["name"], "apiGroup": RBAC}
    version = f"{RBAC}/v1"
    return [
        {"apiVersion": version, "kind": kind, "metadata": metadata, "rules": given},
        {
            "apiVersion": version,
            "kind": f"{kind}Binding",
            "metadata": metadata,
            "roleRef": ref,
            "subjects": [subject],
        },
    ]
