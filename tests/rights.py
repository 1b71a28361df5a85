"""The operator's RBAC rules from docs/operator.md: tests grant it these only."""

from __future__ import annotations

import re
from typing import Any

from controlplane import OPERATOR, ControlPlane
from manifests import ROOT

RBAC = "rbac.authorization.k8s.io"
ROW = re.compile(r"^\| (`[a-z0-9.]+`|core) \| `([a-z/]+)` \| ([a-z, ]+) \| .* \|$", re.M)


def rules() -> list[dict[str, Any]]:
    """Return the page's table as RBAC rules."""
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
    """Grant the rights of an operator that watches one namespace."""
    metadata = {"name": OPERATOR, "namespace": namespace}
    subject = {"kind": "User", "name": OPERATOR, "apiGroup": RBAC}
    ref = {"kind": "Role", "name": OPERATOR, "apiGroup": RBAC}
    version = f"{RBAC}/v1"
    binding = {"roleRef": ref, "subjects": [subject]}
    plane.apply(
        {"apiVersion": version, "kind": "Role", "metadata": metadata, "rules": rules()},
        {"apiVersion": version, "kind": "RoleBinding", "metadata": metadata, **binding},
    )
