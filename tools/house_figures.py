"""Print the figures of the house style: package sizes, function lengths, words, names used twice.

Run `python tools/house_figures.py` for the working tree; `--ref COMMIT` takes an earlier commit.
`--list` prints each finding as `path:line: word -> what to write`. It needs Python and git only.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import io
import re
import statistics
import subprocess
import tarfile
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[1]
MAX_MODULES = 18

# The product's packages; names are unique across these and the folders of scripts.
PRODUCT = ("core/", "api/", "job-image/", "operator/")
UNIQUE_NAMES = (*PRODUCT, "charts/", "tools/")

# Each program has its own of these.
EXEMPT_MODULES = {"__init__", "__main__", "errors", "settings", "metrics"}
EXEMPT_CLASSES = {"Settings"}

# Texts that are not ours, record an earlier release, or have to name the words.
NOT_PROSE = (".sum", ".lock", ".txt", ".svg")
NOT_COUNTED = (
    "tests/service/test_migrations.py",
    "CHANGELOG.md",
    "LICENSE",
    "tools/glossary.toml",
    "tests/cluster/kind/",
    "tests/releases/",
    "api/clipmill_api/migrations/versions/",
)

Tree = dict[str, str]


@dataclass(frozen=True, slots=True)
class Rule:
    """A word of the glossary and what to write instead."""

    word: re.Pattern[str]
    write: str
    allowed: re.Pattern[str] | None
    names: bool
    only: tuple[str, ...]
    not_in: tuple[str, ...]

    def holds_in(self, path: str) -> bool:
        """Return whether the rule applies to this file."""
        within = not self.only or path.startswith(self.only)
        return within and not path.startswith(self.not_in)

    def matches(self, words: str) -> list[str]:
        """Return the forbidden words of a text that `split_words` has prepared."""
        text = self.allowed.sub("", words) if self.allowed else words
        return [match.group() for match in self.word.finditer(text)]


@dataclass(frozen=True, slots=True)
class Violation:
    """A forbidden word and its place."""

    path: str
    line: int
    word: str
    write: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.word} -> {self.write}"


def work_tree() -> Tree:
    """Read the text files of the working tree that git does not ignore."""
    listed = _git("ls-files", "-z", "-co", "--exclude-standard").decode().split("\0")
    contents = ((name, (ROOT / name).read_bytes()) for name in listed if (ROOT / name).is_file())
    return _texts(contents)


def tree_of(ref: str) -> Tree:
    """Read the text files of a commit."""
    with tarfile.open(fileobj=io.BytesIO(_git("archive", ref))) as archive:
        files = [member for member in archive if member.isfile()]
        opened = ((member.name, archive.extractfile(member)) for member in files)
        return _texts((name, file.read()) for name, file in opened if file)


def _git(*args: str) -> bytes:
    return subprocess.run(  # noqa: S603
        ["git", "-C", str(ROOT), *args],  # noqa: S607
        check=True,
        capture_output=True,
    ).stdout


def _texts(contents: Iterable[tuple[str, bytes]]) -> Tree:
    texts: Tree = {}
    for name, content in contents:
        with contextlib.suppress(UnicodeDecodeError):
            texts[name] = content.decode()
    return texts


def modules_per_package(tree: Tree) -> dict[str, int]:
    """Count the modules directly in each package of the product, without its `__init__`.

    Migrations are a history, which grows by design.
    """
    modules = [PurePosixPath(path) for path in _python(tree, PRODUCT)]
    packages = [str(path.parent) for path in modules if path.name != "__init__.py"]
    return Counter(name for name in packages if not name.endswith("/migrations/versions"))


def function_lengths(tree: Tree) -> list[int]:
    """Return the number of lines of each function of the product, in ascending order."""
    nodes = (node for path in _python(tree, PRODUCT) for node in _nodes(tree, path))
    functions = (n for n in nodes if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    return sorted((node.end_lineno or node.lineno) - node.lineno + 1 for node in functions)


def names_used_twice(tree: Tree) -> dict[str, list[str]]:
    """Return the class and module names that stand for more than one thing, with their files."""
    used: defaultdict[str, list[str]] = defaultdict(list)
    for path in _python(tree, UNIQUE_NAMES):
        if (module := PurePosixPath(path).stem) not in EXEMPT_MODULES:
            used[f"module {module}"].append(path)
        for node in _nodes(tree, path):
            if isinstance(node, ast.ClassDef) and node.name not in EXEMPT_CLASSES:
                used[f"class {node.name}"].append(f"{path}:{node.lineno}")
    return {name: places for name, places in sorted(used.items()) if len(places) > 1}


def _python(tree: Tree, folders: tuple[str, ...]) -> Iterator[str]:
    return (path for path in sorted(tree) if path.endswith(".py") and path.startswith(folders))


def _nodes(tree: Tree, path: str) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(tree[path], path))


def rules() -> list[Rule]:
    """Read tools/glossary.toml."""
    listed = tomllib.loads((ROOT / "tools/glossary.toml").read_text())["rule"]
    return [
        Rule(
            word=_pattern(entry["word"], whole=entry.get("names", False)),
            write=entry["write"],
            allowed=_pattern(entry["except"]) if "except" in entry else None,
            names=entry.get("names", False),
            only=tuple(entry.get("only", ())),
            not_in=tuple(entry.get("not_in", ())),
        )
        for entry in listed
    ]


def _pattern(words: str, *, whole: bool = False) -> re.Pattern[str]:
    return re.compile(rf"^(?:{words})$" if whole else rf"\b(?:{words})\b", re.IGNORECASE)


def violations(tree: Tree, glossary: list[Rule]) -> list[Violation]:
    """Return every forbidden word of names, docstrings, comments, strings and documentation."""
    forbidden: list[Violation] = []
    for path, text in sorted(tree.items()):
        if path.endswith(NOT_PROSE) or path.startswith(NOT_COUNTED):
            continue
        held = [rule for rule in glossary if rule.holds_in(path)]
        words = split_words(text)
        in_lines = [rule for rule in held if not rule.names and rule.word.search(words)]
        forbidden += _in(path, enumerate(text.splitlines(), start=1), in_lines)
        of_names = [rule for rule in held if rule.names]
        if path.endswith(".py") and of_names:
            forbidden += _in(path, bound_names(text), of_names)
    return forbidden


def _in(path: str, texts: Iterable[tuple[int, str]], held: list[Rule]) -> Iterator[Violation]:
    for line, text in texts if held else ():
        words = split_words(text)
        for rule in held:
            for word in rule.matches(words):
                yield Violation(path, line, word, rule.write)


def split_words(text: str) -> str:
    """Return the text with `snake_case` and `CamelCase` names as separate words."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text).replace("_", " ").replace("\u2019", "'")


def bound_names(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and name of each variable, argument, field, function and class that is defined."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                yield node.lineno, name.strip("_")
            case ast.arg(arg=name):
                yield node.lineno, name.strip("_")
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield node.lineno, name.strip("_")
            case ast.ClassDef(name=name):
                yield node.lineno, name.strip("_")


def area(path: str) -> str:
    """Return the folder by which findings are counted: a package, or a top folder."""
    parts = PurePosixPath(path).parts
    return "/".join(parts[: min(len(parts) - 1, 3 if path.startswith(PRODUCT) else 2)]) or path


def report(tree: Tree) -> str:
    """Return the figures of a tree as text."""
    packages = modules_per_package(tree)
    largest = sorted(packages.items(), key=lambda item: -item[1])[:5]
    over = sum(count > MAX_MODULES for count in packages.values())
    lengths = function_lengths(tree)
    forbidden = violations(tree, rules())
    lines = [
        f"packages: {len(packages)}, with more than {MAX_MODULES} modules: {over}",
        f"largest packages: {', '.join(f'{name} {count}' for name, count in largest)}",
        f"functions: {len(lengths)}, median {statistics.median(lengths):g} lines, "
        f"90th percentile {statistics.quantiles(lengths, n=10)[-1]:g}, longest {lengths[-1]}",
        f"names used twice: {len(names_used_twice(tree))}",
        f"glossary violations: {len(forbidden)}",
    ]
    per_area = Counter(area(violation.path) for violation in forbidden).most_common()
    return "\n".join([*lines, *(f"{count:7} {name}" for name, count in per_area)])


def main() -> None:
    """Print the figures, or with `--list` each finding."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ref", help="a commit, instead of the working tree")
    parser.add_argument("--list", action="store_true", help="print each finding with its place")
    parser.add_argument("folders", nargs="*", help="count only below these folders")
    args = parser.parse_args()
    tree = tree_of(args.ref) if args.ref else work_tree()
    folders = tuple(args.folders) or ("",)
    tree = {path: text for path, text in tree.items() if path.startswith(folders)}
    if not args.list:
        print(report(tree))
        return
    for name, places in names_used_twice(tree).items():
        print(f"{name}: {', '.join(places)}")
    for violation in violations(tree, rules()):
        print(violation)


if __name__ == "__main__":
    main()
