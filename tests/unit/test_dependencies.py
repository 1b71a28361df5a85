"""Each dependency has a reason in docs/dependencies.md, and the lock names no registry."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_each_has_its_reason() -> None:
    """Every package of pyproject.toml is named in docs/dependencies.md."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    requirements = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    for extra in project["project"]["optional-dependencies"].values():
        requirements += extra
    names = {re.split(r"[\[>=<]", line)[0].lower() for line in requirements} - {"clipmill"}
    page = (ROOT / "docs/dependencies.md").read_text().lower()
    table = page[page.index("| package") :]
    assert {name for name in names if not re.search(rf"\b{re.escape(name)}\b", table)} == set()


def test_lock_pins_by_hash_and_names_no_host() -> None:
    """The installation does not depend on the mirror that serves it."""
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    assert lock.count("==") <= lock.count("--hash=sha256:")
