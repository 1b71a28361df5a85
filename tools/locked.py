"""Print the entries of requirements.lock that some extras need, for `pip install --require-hashes`.

Run `python tools/locked.py job > requirements.txt`. It needs Python only: image builds run it.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
_HEAD = re.compile(r"^([A-Za-z0-9._-]+)==")
_NAME = re.compile(r"^[A-Za-z0-9._-]+")


def package_name(requirement: str) -> str:
    """Return the normalized name of a requirement: `psycopg[binary]>=3.2` -> psycopg."""
    name = _NAME.match(requirement)
    return re.sub(r"[-_.]+", "-", name.group() if name else requirement).lower()


def blocks(lock: str) -> list[tuple[str, str]]:
    """Return the entries of the lock in its order, as (name, text)."""
    parts = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)
    return [(package_name(part), part) for part in parts if _HEAD.match(part)]


def parents(entry: str) -> set[str]:
    """Return the packages that require this one by the lock's `via` comments, not the project."""
    lines = re.findall(r"^    #\s+(?:via\s+)?([A-Za-z0-9._-]+)$", entry, flags=re.MULTILINE)
    return {package_name(line) for line in lines} - {"via"}


def closure(entries: list[tuple[str, str]], roots: set[str]) -> set[str]:
    """Return the roots and their direct and indirect requirements."""
    required = set(roots)
    while True:
        more = {name for name, text in entries if parents(text) & required} - required
        if not more:
            return required
        required |= more


def locked(project: str, lock: str, extras: list[str]) -> str:
    """Return the entries that the project needs with these extras."""
    described = tomllib.loads(project)["project"]
    roots = {package_name(line) for line in described["dependencies"]}
    for extra in extras:
        roots |= {package_name(line) for line in described["optional-dependencies"][extra]}
    entries = blocks(lock)
    required = closure(entries, roots)
    return "".join(text for name, text in entries if name in required)


def metadata(project: str) -> str:
    """Return the distribution metadata with name and version, which `importlib.metadata` reads."""
    described = tomllib.loads(project)["project"]
    return f"Metadata-Version: 2.1\nName: {described['name']}\nVersion: {described['version']}\n"


if __name__ == "__main__":
    described = (ROOT / "pyproject.toml").read_text()
    if sys.argv[1:] == ["--metadata"]:
        sys.stdout.write(metadata(described))
    else:
        lock = (ROOT / "requirements.lock").read_text()
        sys.stdout.write(locked(described, lock, sys.argv[1:]))
