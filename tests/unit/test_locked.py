"""What each image installs is a part of the one lock, and holds what its extra asks for."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
DATABASE = {"sqlalchemy", "psycopg", "psycopg-binary", "alembic", "obstore"}


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("locked", ROOT / "tools/locked.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _packages(text: str) -> set[str]:
    return {found.lower() for found in re.findall(r"^([A-Za-z0-9._-]+)==", text, re.MULTILINE)}


def _of(extra: str) -> str:
    project = (ROOT / "pyproject.toml").read_text()
    lock = (ROOT / "requirements.lock").read_text()
    return str(_load().locked(project, lock, [extra]))


@pytest.mark.parametrize("extra", ["job", "api", "operator"])
def test_each_is_a_hashed_part_of_the_lock(extra: str) -> None:
    """The very entries, with their hashes; what they need in turn is among them."""
    text = _of(extra)
    lock = (ROOT / "requirements.lock").read_text()
    entries = _load().blocks(text)
    assert all(entry in lock and "--hash=sha256:" in entry for _, entry in entries)
    assert {"pydantic", "pydantic-core", "httpx", "httpcore"} <= _packages(text)


def test_only_the_api_has_a_database() -> None:
    """A job's and the operator's image could not speak to a database if they reached one."""
    assert _packages(_of("job")) & (DATABASE | {"fastapi", "kopf", "kubernetes"}) == set()
    assert _packages(_of("operator")) & (DATABASE | {"fastapi", "yt-dlp", "av"}) == set()
    assert _packages(_of("api")) & {"kopf", "kubernetes", "yt-dlp"} == set()
    assert _packages(_of("api")) > DATABASE


def test_a_small_lock() -> None:
    """Who is wanted by whom: directly, through another, by the project's own lines."""
    lock = (
        "# made by uv\na-b==1 \\\n    --hash=sha256:1\n    # via clipmill (pyproject.toml)\n"
        "c==2 ; python_version < '4' \\\n    --hash=sha256:2\n    # via\n    #   a-b\n    #   z\n"
        "z==3 \\\n    --hash=sha256:3\n    # via clipmill (pyproject.toml:dev)\n"
    )
    project = '[project]\ndependencies = ["A_b[x]>=1"]\noptional-dependencies.none = []\n'
    assert _packages(str(_load().locked(project, lock, ["none"]))) == {"a-b", "c"}
