"""docs/architecture.md names only what exists."""

import ast
import re
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/architecture.md").read_text()
ROOTS = ("core", "api", "operator", "job-image")
QUOTED = sorted(set(re.findall(r"`([^`\s]+)`", PAGE)))
DOTTED = [name for name in QUOTED if re.fullmatch(r"clipmill(_\w+)?(\.\w+)*", name)]
CALLS = [name for name in QUOTED if re.fullmatch(r"(\w+\.)?\w+\(\)", name)]
PATHS = [name for name in QUOTED if "/" in name and re.fullmatch(r"[\w./-]+", name)]


def _file(dotted: str) -> Path | None:
    path = dotted.replace(".", "/")
    for root in ROOTS:
        for name in (f"{root}/{path}.py", f"{root}/{path}/__init__.py"):
            if (ROOT / name).exists():
                return ROOT / name
    return None


@lru_cache
def _names(file: Path) -> frozenset[str]:
    """Return what a module defines or imports, and the methods of its classes."""
    names = set()
    for node in ast.parse(file.read_text()).body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                names.add(name)
            case ast.ClassDef(name=name):
                methods = [inner for inner in node.body if isinstance(inner, ast.FunctionDef)]
                names |= {name, *(f"{name}.{method.name}" for method in methods)}
            case ast.ImportFrom(names=imported):
                names |= {alias.asname or alias.name for alias in imported}
            case ast.Assign(targets=[ast.Name(id=name)]):
                names.add(name)
    return frozenset(names)


@lru_cache
def _all_names() -> frozenset[str]:
    files = [file for root in ROOTS for file in (ROOT / root).rglob("*.py")]
    return frozenset(name for file in files for name in _names(file))


@pytest.mark.parametrize("dotted", DOTTED)
def test_modules_and_their_names_exist(dotted: str) -> None:
    """A dotted name is a package, a module, or something that a module defines."""
    module, _, name = dotted.rpartition(".")
    if _file(dotted) is None:
        file = _file(module)
        assert file is not None, dotted
        assert name in _names(file), dotted


@pytest.mark.parametrize("call", CALLS)
def test_functions_exist(call: str) -> None:
    """A name with parentheses is a function or a method of the product."""
    assert call.removesuffix("()") in _all_names()


@pytest.mark.parametrize("path", PATHS)
def test_paths_exist(path: str) -> None:
    """A path is a file or a folder of the repository."""
    assert (ROOT / path).exists()


def test_the_page_names_every_package() -> None:
    """A package that the page does not name has no reader's guide."""
    inits = [file for root in ROOTS for file in (ROOT / root).rglob("__init__.py")]
    packages = {".".join(file.parent.relative_to(ROOT).parts[1:]) for file in inits}
    assert {name for name in packages if "migrations" not in name and name not in PAGE} == set()
