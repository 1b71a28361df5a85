"""Record when pods are created, bound to a node, running and ended, by this machine's clock."""

from __future__ import annotations

import codecs
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any

STAGE = "clipmill.dev/stage"


@dataclass(slots=True)
class Moments:
    """The times of one pod, in seconds of the monotonic clock; 0 means not yet."""

    stage: str
    created: float
    bound: float = 0.0
    running: float = 0.0
    ended: float = 0.0


@contextmanager
def watched(namespace: str, selector: str) -> Iterator[dict[str, Moments]]:
    """Yield the pods of the selector by name; a thread updates them as they change."""
    command = ("kubectl", "get", "pods", "-n", namespace, "-l", selector, "-o", "json", "--watch")
    pods: dict[str, Moments] = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE) as watch:
        assert watch.stdout is not None
        reader = threading.Thread(target=_read, args=(watch.stdout.fileno(), pods))
        reader.start()
        try:
            yield pods
        finally:
            watch.terminate()
            reader.join()


def _read(pipe: int, pods: dict[str, Moments]) -> None:
    text, decoder = "", json.JSONDecoder()
    words = codecs.getincrementaldecoder("utf-8")()
    while chunk := os.read(pipe, 65536):
        text = (text + words.decode(chunk)).lstrip()
        while text:
            try:
                pod, end = decoder.raw_decode(text)
            except ValueError:
                break
            _note(pods, pod, monotonic())
            text = text[end:].lstrip()


def _note(pods: dict[str, Moments], pod: dict[str, Any], now: float) -> None:
    stage = pod["metadata"]["labels"].get(STAGE, "")
    moments = pods.setdefault(pod["metadata"]["name"], Moments(stage, now))
    (state,) = [
        status["state"] for status in pod["status"].get("containerStatuses") or [{"state": {}}]
    ]
    if pod["spec"].get("nodeName"):
        moments.bound = moments.bound or now
    if "running" in state or "terminated" in state:
        moments.running = moments.running or now
    if "terminated" in state:
        moments.ended = moments.ended or now
