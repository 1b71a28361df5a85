"""The part of requirements.lock that some extras need, as `pip install --require-hashes` takes it.

python tools/locked.py job > requirements.txt. Needs Python only: it runs within image builds.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
_HEAD = re.compile(r"^([A-Za-z0-9._-]+)==")
_NAME = re.compile(r"^[A-Za-z0-9._-]+")


def named(requirement: str) -> str:
    """The package's name in its normal form: `psycopg[binary]>=3.2` -> psycopg."""
    found = _NAME.match(requirement)
    return re.sub(r"[-_.]+", "-", found.group() if found else requirement).lower()


def blocks(lock: str) -> list[tuple[str, str]]:
    """The lock's entries: (name, text), in its order."""
    parts = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)
    return [(named(part), part) for part in parts if _HEAD.match(part)]


def parents(entry: str) -> set[str]:
    """Who wants this package, by the lock's `via` comments; not the project itself."""
    lines = re.findall(r"^    #\s+(?:via\s+)?([A-Za-z0-9._-]+)$", entry, flags=re.MULTILINE)
    return {named(line) for line in lines} - {"via"}


def closure(entries: list[tuple[str, str]], roots: set[str]) -> set[str]:
    """The roots and all that they want, directly or not."""
    wanted = set(roots)
    while True:
        more = {name for name, text in entries if parents(text) & wanted} - wanted
        if not more:
            return wanted
        wanted |= more


def locked(project: str, lock: str, extras: list[str]) -> str:
    """The entries that the project with these extras needs."""
    described = tomllib.loads(project)["project"]
    roots = {named(line) for line in described["dependencies"]}
    for extra in extras:
        roots |= {named(line) for line in described["optional-dependencies"][extra]}
    entries = blocks(lock)
    wanted = closure(entries, roots)
    return "".join(text for name, text in entries if name in wanted)


def metadata(project: str) -> str:
    """Name and version, where `importlib.metadata` looks for them."""
    described = tomllib.loads(project)["project"]
    return f"Metadata-Version: 2.1\nName: {described['name']}\nVersion: {described['version']}\n"


if __name__ == "__main__":
    described = (ROOT / "pyproject.toml").read_text()
    if sys.argv[1:] == ["--metadata"]:
        sys.stdout.write(metadata(described))
    else:
        lock = (ROOT / "requirements.lock").read_text()
        sys.stdout.write(locked(described, lock, sys.argv[1:]))
