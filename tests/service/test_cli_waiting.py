"""What a person sees while a command waits: an API that is away, and the way of local files."""

from __future__ import annotations

import io
import json
import os
import subprocess
import time
from pathlib import Path

import pytest
from rich.console import Console

from clipmill.protocol import MediaKind, UserView
from clipmill_cli.output.file_uploads import FileUploads
from clipmill_client import Client, transfer
from clipmill_client.transfer import UploadProgress, UploadStep
from commandline import manifest_file, started
from harness import Harness
from killed_api import KilledApi
from pods import url

MEGABYTE = 1_000_000


def test_an_api_that_is_restarted_while_a_command_waits(tmp_path: Path) -> None:
    """The command says that it is away, follows the compilation again, and prints its JSON."""
    api = KilledApi(tmp_path, "", CLIPMILL_ALLOW_ANY_HOST="1")
    manifest = manifest_file(tmp_path / "m.yaml", [{"url": url()}])
    with api.running():
        with api.client(api.admin_key) as admin:
            admin.admin.put_user(UserView(name="ada"))
            key = admin.admin.create_key("ada")
        command = _submit(manifest, api, key)
        assert command.stderr is not None
        assert "submitted" in command.stderr.readline()
        assert "queued" in command.stderr.readline()
    with command:
        away = command.stderr.readline()
        assert "API away" in away
        assert str(api.port) in away
        with api.running(), api.client(key) as client:
            assert "again" in command.stderr.readline()
            _cancel_all(client)
            out, err = command.communicate(timeout=30)
    assert (command.returncode, "Traceback" in err) == (1, False), err
    assert json.loads(out)["state"] == "Cancelled"


def _submit(manifest: Path, api: KilledApi, key: str) -> subprocess.Popen[str]:
    address = f"http://127.0.0.1:{api.port}"
    env = {**os.environ, "CLIPMILL_API_URL": address, "CLIPMILL_API_KEY": key}
    words = ("submit", manifest, "--wait", "-o", "json")
    return started(*words, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def _cancel_all(client: Client) -> None:
    for view in client.compilations().items:
        client.cancel(view.id)


def test_the_steps_of_an_upload(
    api: Harness, two_seconds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The API checks a file with its last chunk; one that it knows is not sent."""
    size = two_seconds.stat().st_size
    monkeypatch.setattr(transfer, "CHUNK_BYTES", -(-size // 3))
    _, user = api.user()
    steps: list[UploadProgress] = []
    user.upload_media(two_seconds, MediaKind.CLIP, on_progress=steps.append)
    chunk = -(-size // 3)
    assert [(progress.step, progress.sent_bytes) for progress in steps] == [
        (UploadStep.HASHING, 0),
        (UploadStep.SENDING, 0),
        (UploadStep.SENDING, chunk),
        (UploadStep.CHECKING, 2 * chunk),
        (UploadStep.DONE, 0),
    ]
    steps.clear()
    user.upload_media(two_seconds, MediaKind.CLIP, on_progress=steps.append)
    assert [progress.step for progress in steps] == [UploadStep.HASHING, UploadStep.DONE]


def _shown(*, terminal: bool, seconds: float) -> str:
    """Return what is shown of two files, each step of which takes some seconds."""
    text, times = io.StringIO(), iter(range(100))
    console = Console(file=text, force_terminal=terminal, width=100)
    with FileUploads(console, 2, clock=lambda: next(times) * seconds) as progress:
        for name in ("a.mp4", "b.mp4"):
            path = Path(name)
            progress(UploadProgress(path, UploadStep.HASHING))
            progress(UploadProgress(path, UploadStep.SENDING, MEGABYTE, 4 * MEGABYTE))
            progress(UploadProgress(path, UploadStep.CHECKING))
            if terminal:
                time.sleep(0.15)
            progress(UploadProgress(path, UploadStep.DONE))
    return text.getvalue()


def test_lines_about_files_where_there_is_no_terminal() -> None:
    """None if they are fast; otherwise file, number and percent."""
    assert _shown(terminal=False, seconds=0.1) == ""
    lines = _shown(terminal=False, seconds=4).splitlines()
    assert "sending a.mp4 (1 of 2): 25 %" in lines
    assert "checking b.mp4 (2 of 2)" in lines


def test_a_bar_for_each_file_on_a_terminal() -> None:
    """It names the step, the file and its number."""
    shown = _shown(terminal=True, seconds=0)
    assert "checking a.mp4 (1 of 2)" in shown
    assert "checking b.mp4 (2 of 2)" in shown
