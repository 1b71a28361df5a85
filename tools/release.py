"""Check that a version is written alike everywhere, and print it or the notes of a release.

Run `python tools/release.py version`, `python tools/release.py check v0.2.0` or
`python tools/release.py notes 0.2.0`. It needs Python only: the release workflow runs it.
`pyproject.toml` decides; `python tools/release.py set 0.2.0` writes all places, and
`make generate` what is generated from them.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Each place of the version beside pyproject.toml: file, and a pattern around it.
PLACES = (
    ("charts/clipmill/Chart.yaml", r"^(version: )(\S+)$"),
    ("charts/clipmill/Chart.yaml", r"^(appVersion: )(\S+)$"),
)
_PROJECT = ("pyproject.toml", r'^(version = )"(\S+)"$')


def version(root: Path = ROOT) -> str:
    """Return the version of pyproject.toml."""
    described = tomllib.loads((root / _PROJECT[0]).read_text())
    return str(described["project"]["version"])


def differing(root: Path = ROOT) -> list[str]:
    """Return `file: version` for each place whose version differs from pyproject.toml's."""
    expected = version(root)
    return [
        f"{name}: {text}"
        for name, pattern in PLACES
        for _, text in re.findall(pattern, (root / name).read_text(), flags=re.MULTILINE)
        if text.strip("'\"") != expected
    ]


def set_version(new: str, root: Path = ROOT) -> None:
    """Write a version to all places."""
    for name, pattern in PLACES:
        path = root / name
        text = re.sub(pattern, rf"\g<1>{new}", path.read_text(), flags=re.MULTILINE)
        path.write_text(text)
    path = root / _PROJECT[0]
    line = rf'\g<1>"{new}"'
    path.write_text(re.sub(_PROJECT[1], line, path.read_text(), count=1, flags=re.MULTILINE))


def notes(of: str, root: Path = ROOT) -> str:
    """Return the section of CHANGELOG.md about a version.

    Raises:
        ValueError: It has none.
    """
    text = (root / "CHANGELOG.md").read_text()
    section = re.search(
        rf"^## \[{re.escape(of)}\].*?\n(.*?)(?=^## \[|\Z)", text, flags=re.MULTILINE | re.DOTALL
    )
    if section is None:
        raise ValueError(f"CHANGELOG.md has no section [{of}]")
    return section.group(1).strip() + "\n"


def check(tag: str, root: Path = ROOT) -> str:
    """Return the version of a tag such as `v0.2.0`.

    Raises:
        ValueError: A file has another version, or the changelog has no section of it.
    """
    wrong = differing(root)
    if tag != f"v{version(root)}" or wrong:
        raise ValueError(f"{tag} is not v{version(root)} everywhere: {', '.join(wrong) or 'tag'}")
    notes(version(root), root)
    return version(root)


def main(arguments: list[str]) -> str:
    """Run one command and return what to print."""
    match arguments:
        case ["version"]:
            return version() + "\n"
        case ["check", tag]:
            return check(tag) + "\n"
        case ["notes", of]:
            return notes(of)
        case ["set", new]:
            set_version(new)
            return ""
    raise ValueError("usage: release.py version | check TAG | notes VERSION | set VERSION")


if __name__ == "__main__":
    try:
        sys.stdout.write(main(sys.argv[1:]))
    except ValueError as error:
        sys.exit(f"release: {error}")
