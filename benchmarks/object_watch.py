"""Watches on the API server of a measurement, which cost it less than polling."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx

# First: it makes the folder of the tests importable.
from benchmarks.operator_figures import ROOT  # noqa: F401
from controlplane import TOKEN

Object = dict[str, Any]
COMPILATIONS = "/apis/clipmill.dev/v1alpha1/namespaces/{}/compilations"


def administrator(url: str) -> httpx.Client:
    """Return a client with all rights, for watches of any length."""
    # The control plane of a measurement has a certificate of its own.
    headers = {"Authorization": f"Bearer {TOKEN}"}
    return httpx.Client(base_url=url, headers=headers, verify=False, timeout=None)


def watched(kube: httpx.Client, path: str, **query: Any) -> Iterator[tuple[str, Object]]:
    """Yield type and object of each event, first of the objects that exist already."""
    with kube.stream("GET", path, params={"watch": "true", **query}) as reply:
        reply.raise_for_status()
        for line in reply.iter_lines():
            event = json.loads(line)
            yield event["type"], event["object"]


def await_condition(url: str, namespace: str, kind: str, *, count: int, within_s: int) -> int:
    """Wait until a condition of so many Compilations is true; return how many there are at last."""
    reached: set[str] = set()
    with administrator(url) as kube:
        path = COMPILATIONS.format(namespace)
        for _, compilation in watched(kube, path, timeoutSeconds=within_s):
            if is_true(compilation, kind):
                reached.add(compilation["metadata"]["name"])
            if len(reached) >= count:
                break
    return len(reached)


def is_true(compilation: Object, kind: str) -> bool:
    """Return whether a condition is true of the newest generation."""
    status = compilation.get("status", {})
    if status.get("observedGeneration") != compilation["metadata"]["generation"]:
        return False
    return any(c["type"] == kind and c["status"] == "True" for c in status.get("conditions", []))
