"""Each image installs a subset of the one lock, with all that its extra requires."""

import re
from pathlib import Path

import pytest

from locked import blocks, locked

ROOT = Path(__file__).parents[2]
DATABASE = {"sqlalchemy", "psycopg", "psycopg-binary", "alembic", "obstore"}


def _packages(text: str) -> set[str]:
    return {name.lower() for name in re.findall(r"^([A-Za-z0-9._-]+)==", text, re.MULTILINE)}


def _of(extra: str) -> str:
    project = (ROOT / "pyproject.toml").read_text()
    lock = (ROOT / "requirements.lock").read_text()
    return locked(project, lock, [extra])


@pytest.mark.parametrize("extra", ["job", "api", "operator"])
def test_each_is_a_hashed_part_of_the_lock(extra: str) -> None:
    """The subset holds the entries with their hashes, and what these require in turn."""
    text = _of(extra)
    lock = (ROOT / "requirements.lock").read_text()
    entries = blocks(text)
    assert all(entry in lock and "--hash=sha256:" in entry for _, entry in entries)
    assert {"pydantic", "pydantic-core", "httpx", "httpcore"} <= _packages(text)


def test_only_the_api_has_a_database() -> None:
    """The images of job and operator have no database driver and no server."""
    assert _packages(_of("job")) & (DATABASE | {"fastapi", "kopf", "kubernetes"}) == set()
    assert _packages(_of("operator")) & (DATABASE | {"fastapi", "yt-dlp", "av"}) == set()
    assert _packages(_of("api")) & {"kopf", "kubernetes", "yt-dlp"} == set()
    assert _packages(_of("api")) > DATABASE


def test_a_small_lock() -> None:
    """Requirements are followed directly, through another package, and from the project's lines."""
    lock = (
        "# made by uv\na-b==1 \\\n    --hash=sha256:1\n    # via clipmill (pyproject.toml)\n"
        "c==2 ; python_version < '4' \\\n    --hash=sha256:2\n    # via\n    #   a-b\n    #   z\n"
        "z==3 \\\n    --hash=sha256:3\n    # via clipmill (pyproject.toml:dev)\n"
    )
    project = '[project]\ndependencies = ["A_b[x]>=1"]\noptional-dependencies.none = []\n'
    assert _packages(locked(project, lock, ["none"])) == {"a-b", "c"}
