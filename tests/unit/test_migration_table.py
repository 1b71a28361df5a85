"""The table of docs/migration.md is true: its routes, client functions and tests exist."""

import ast
import re
from pathlib import Path

from clipmill_api.legacy_worker import legacy_routes
from clipmill_client.legacy_calls import LegacyWorkerCalls

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| (E\d+) \| `([A-Z]+) (\S+)` \| `(\w+)` \| `(\w+)` \|$", re.MULTILINE)
ROWS = ROW.findall((ROOT / "docs/migration.md").read_text())
# What replaces the features of the predecessor beside the worker API.
FEATURES = (ROOT / "docs/migration.md").read_text().split("## Automation, search")[1]
TESTS = (ROOT / "tests/service").glob("test_legacy_*.py")


def test_fifteen_endpoints() -> None:
    """Each endpoint has one row."""
    assert [row[0] for row in ROWS] == [f"E{n}" for n in range(1, 16)]


def test_routes_exist() -> None:
    """Every route of the table is served, and every legacy route is in the table."""
    routes = {
        (method, route.path) for route in legacy_routes.router.routes for method in route.methods
    }
    assert {(row[1], row[2]) for row in ROWS} == routes


def test_client_functions_exist() -> None:
    """The client has a function for each row, and the route has its name."""
    functions = {name for name in vars(LegacyWorkerCalls) if not name.startswith("_")}
    assert {row[3] for row in ROWS} == functions
    assert functions == {route.name for route in legacy_routes.router.routes}


def test_tests_exist() -> None:
    """Each test of the table exists, and calls its client function or its route."""
    sources = {
        node.name: ast.unparse(node)
        for path in TESTS
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef)
    }
    for _, _, path, function, test in ROWS:
        step = path.removeprefix("/api/worker").split("{")[0]
        assert function in sources[test] or step in sources[test], test


def test_tests_of_features_exist() -> None:
    """Each row about automation, search and notifications names a test, or none."""
    rows = re.findall(r"^\| .+ \| .+ \| (?:`(\w+)` )?\|$", FEATURES, re.MULTILINE)
    names = {name for name in rows if name}
    paths = [*(ROOT / "tests/unit").glob("*.py"), *(ROOT / "tests/service").glob("*.py")]
    text = "".join(path.read_text() for path in paths)
    assert len(rows) >= 20
    assert [name for name in names if f"def {name}(" not in text] == []
