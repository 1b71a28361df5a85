"""Clients that generators make of the OpenAPI document: one whole compilation by each.

`openapi-python-client` has an environment of its own, since it needs an older typer than ours:
`python -m venv tests/generated_clients/.venv`, then its `pip install -r requirements.lock`.
`openapi-typescript` and `openapi-fetch` come by `npm ci --prefix tests/generated_clients`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from served_api import Served

FOLDER = Path(__file__).parents[1] / "generated_clients"
PYTHON = FOLDER / ".venv/bin/python"
NODE_MODULES = FOLDER / "node_modules"
TIMEOUT_S = 300


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Address and user's key of a running `clipmill serve`."""
    server = Served.new(tmp_path_factory.mktemp("served"))
    with server.running() as (_, client):
        yield client.connection.base_url, server.keys["CLIPMILL_API_KEY"]


@pytest.fixture(scope="module")
def document(served: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The OpenAPI document that the API serves."""
    path = tmp_path_factory.mktemp("openapi") / "openapi.json"
    path.write_bytes(httpx.get(f"{served[0]}/openapi.json", timeout=60).content)
    return path


def run(*argv: str | Path, cwd: Path, **environ: str) -> str:
    """Run a program and return what it prints."""
    env = {"PATH": os.environ["PATH"], "HOME": str(cwd), **environ}
    done = subprocess.run(
        [str(word) for word in argv],
        cwd=cwd,
        env=env,
        check=False,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def read_report(text: str) -> dict[str, Any]:
    """Return the report of a client, without the hash that it compared."""
    report: dict[str, Any] = json.loads(text)
    assert report.pop("sha256") == report.pop("expected")
    return report


@pytest.mark.skipif(not PYTHON.exists(), reason="needs tests/generated_clients/.venv")
def test_openapi_python_client(
    served: tuple[str, str], document: Path, two_seconds: Path, tmp_path: Path
) -> None:
    """It generates without a warning; its client uploads, plans, renders, shares and deletes."""
    url, key = served
    path = f"{PYTHON.parent}:{os.environ['PATH']}"
    generator = PYTHON.with_name("openapi-python-client")
    words = ("generate", "--path", document, "--meta", "none", "--fail-on-warning")
    run(generator, *words, "--output-path", tmp_path / "generated", cwd=tmp_path, PATH=path)
    script = FOLDER / "compilation.py"
    environ = {"PYTHONPATH": str(tmp_path), "CLIPMILL_API_KEY": key}
    text = run(PYTHON, "-W", "error", script, url, two_seconds, cwd=tmp_path, **environ)
    assert read_report(text) == {
        "frames": 60,
        "state": "Succeeded",
        "used": 2,
        "listed": True,
        "missing": "NotFound",
        "refused": ["Invalid", "spec.clips[0].end"],
        "deleted": "NotFound",
    }


@pytest.mark.skipif(
    not NODE_MODULES.is_dir() or shutil.which("node") is None,
    reason="needs node, and npm ci --prefix tests/generated_clients",
)
def test_openapi_typescript(
    served: tuple[str, str], document: Path, two_seconds: Path, tmp_path: Path
) -> None:
    """Its types accept the calls under `strict`, and the compiled program makes a video."""
    url, key = served
    for name in ("compilation.mts", "tsconfig.json", "package.json"):
        shutil.copy(FOLDER / name, tmp_path)
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    programs = NODE_MODULES / ".bin"
    generate = (programs / "openapi-typescript", document, "-o", "schema.d.ts")
    # Fields with a default may be left out of a request.
    run(*generate, "--default-non-nullable", "false", cwd=tmp_path)
    run(programs / "tsc", "-p", ".", cwd=tmp_path)
    words = ("node", "compilation.mjs", url, two_seconds)
    text = run(*words, cwd=tmp_path, CLIPMILL_API_KEY=key)
    assert read_report(text) == {
        "frames": 60,
        "state": "Succeeded",
        "used": 2,
        "missing": "NotFound",
    }
