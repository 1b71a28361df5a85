"""Run kubectl with JSON in and out, and wait for conditions."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
Object = dict[str, Any]
POLL_S = 0.25


def kubectl(*arguments: str, text: str | None = None, check: bool = True) -> str:
    """Run kubectl and return its output. Fail with its stderr."""
    done = subprocess.run(
        ("kubectl", *arguments), input=text, capture_output=True, text=True, check=False
    )
    if check and done.returncode:
        raise AssertionError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def get(kind: str, namespace: str, *arguments: str) -> Any:
    """Return one object, or the items of a list."""
    reply = json.loads(kubectl("get", kind, "-n", namespace, "-o", "json", *arguments))
    return reply["items"] if reply["kind"].endswith("List") else reply


def find(kind: str, namespace: str, name: str) -> Object | None:
    """Return an object, or None if there is none."""
    text = kubectl("get", kind, "-n", namespace, name, "-o", "json", "--ignore-not-found")
    return json.loads(text) if text else None


def apply(*objects: Object) -> None:
    """Apply objects."""
    items = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
    kubectl("apply", "-f", "-", text=json.dumps(items))


def namespace(name: str) -> Object:
    """Return a namespace that enforces Pod Security `restricted`."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def until(what: str, condition: Callable[[], T | None], *, limit_s: float = 240) -> T:
    """Wait until `condition` returns a true value, and return it. Fail after `limit_s`."""
    last = time.monotonic() + limit_s
    while time.monotonic() < last:
        value = condition()
        if value:
            return value
        time.sleep(POLL_S)
    raise AssertionError(f"waited {limit_s:.0f} s in vain: {what}")
