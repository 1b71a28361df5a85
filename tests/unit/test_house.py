"""The house style's figures stay within their limits."""

import pytest

from house_figures import (
    MAX_MODULES,
    PRODUCT,
    Tree,
    modules_per_package,
    names_used_twice,
    rules,
    violations,
    work_tree,
)

MAX_LINES = 300


@pytest.fixture(scope="module")
def tree() -> Tree:
    """Return the working tree, which is listed by git."""
    return work_tree()


def test_packages_are_small(tree: Tree) -> None:
    """A package with more modules is two packages."""
    sizes = modules_per_package(tree)
    assert {name: size for name, size in sizes.items() if size > MAX_MODULES} == {}


def test_names_stand_for_one_thing(tree: Tree) -> None:
    """No class or module name is used twice."""
    assert names_used_twice(tree) == {}


def test_files_are_short(tree: Tree) -> None:
    """A file with more than 300 lines has a second idea in it."""
    product = [path for path in tree if path.endswith(".py") and path.startswith(PRODUCT)]
    lengths = {path: tree[path].count("\n") for path in product if "/migrations/" not in path}
    assert {path: length for path, length in lengths.items() if length > MAX_LINES} == {}


def test_the_glossary_is_kept(tree: Tree) -> None:
    """No word of tools/glossary.toml is used; `make figures` counts them."""
    assert [str(violation) for violation in violations(tree, rules())] == []
