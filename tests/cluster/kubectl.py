"""kubectl with JSON in and out, and waiting on conditions."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
Object = dict[str, Any]
LOOK_S = 0.25


def kubectl(*arguments: str, text: str | None = None, check: bool = True) -> str:
    """Run kubectl; its output. Fails with what it said."""
    done = subprocess.run(
        ("kubectl", *arguments), input=text, capture_output=True, text=True, check=False
    )
    if check and done.returncode:
        raise AssertionError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def get(kind: str, namespace: str, *arguments: str) -> Any:
    """One object, or the items of a list."""
    found = json.loads(kubectl("get", kind, "-n", namespace, "-o", "json", *arguments))
    return found["items"] if found["kind"].endswith("List") else found


def find(kind: str, namespace: str, name: str) -> Object | None:
    """One object, or None when there is none."""
    found = kubectl("get", kind, "-n", namespace, name, "-o", "json", "--ignore-not-found")
    return json.loads(found) if found else None


def apply(*objects: Object) -> None:
    """Apply objects."""
    items = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
    kubectl("apply", "-f", "-", text=json.dumps(items))


def namespace(name: str) -> Object:
    """A namespace whose pods must be restricted."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def until(what: str, look: Callable[[], T | None], *, limit_s: float = 240) -> T:
    """Look until there is something to see; fail saying what was waited for."""
    last = time.monotonic() + limit_s
    while time.monotonic() < last:
        found = look()
        if found:
            return found
        time.sleep(LOOK_S)
    raise AssertionError(f"waited {limit_s:.0f} s in vain: {what}")
