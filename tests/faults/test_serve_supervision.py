"""`clipmill serve` goes on rendering after an error of the machine, or ends with an exit code."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import clipmaker
from clipmill.protocol import TERMINAL_STATES, CompilationState, MediaKind
from clipmill_client import Client, RetryableError
from harness import new_manifest
from served_api import Served

TIMEOUT_S = 90


def _failed_checks(client: Client) -> set[str]:
    """Return the checks of /readyz that fail."""
    try:
        client.connection.request_once("GET", "/readyz")
    except RetryableError as error:
        return set(error.facts["failed"])
    return set()


def test_an_os_error_is_survived_and_shown(tmp_path: Path) -> None:
    """/readyz names the operator while it waits; then the submission is rendered."""
    served = Served.new(tmp_path)
    with served.running("serve.operator.rendering:EIO:1") as (process, client):
        media = client.upload_media(clipmaker.clip(tmp_path / "a.mp4", seconds=1), MediaKind.CLIP)
        view = client.create(new_manifest(media.id))
        until = time.monotonic() + TIMEOUT_S
        failed: set[str] = set()
        while view.state not in TERMINAL_STATES:
            assert time.monotonic() < until
            failed |= _failed_checks(client)
            time.sleep(0.1)
            view = client.compilation(view.id)
        assert _failed_checks(client) == set()
    assert (view.state, failed) == (CompilationState.SUCCEEDED, {"operator"})
    assert process.returncode == 0


@pytest.mark.long
def test_a_hopeless_operator_ends_the_server(tmp_path: Path) -> None:
    """With exit code 1 and one line that names the error."""
    served = Served.new(tmp_path)
    with served.running("serve.operator.reconciling:EIO:*") as (process, _):
        assert process.wait(TIMEOUT_S) == 1
    last = served.log().splitlines()[-1]
    assert last.startswith("clipmill: rendering failed 6 times in a row, last with OSError")
