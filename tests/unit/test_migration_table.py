"""The table of docs/migration.md is true: its routes, client functions and tests exist."""

import ast
import re
from pathlib import Path

from clipmill_api.http.routes import worker_routes
from clipmill_client.legacy_calls import GuideCalls

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| (E\d+) \| `([A-Z]+) (\S+)` \| `(\w+)` \| `(\w+)` \|$", re.MULTILINE)
ROWS = ROW.findall((ROOT / "docs/migration.md").read_text())


def test_fifteen_endpoints() -> None:
    """Each of the fifteen has its row."""
    assert [row[0] for row in ROWS] == [f"E{n}" for n in range(1, 16)]


def test_routes_exist() -> None:
    """Every route of the table is served, and every guide route served is in the table."""
    own = {"/api/worker/claim", "/api/worker/heartbeat", "/api/worker/result"}
    own |= {"/api/worker/watermark/{sha256}"}
    served = {
        (method, route.path)
        for route in worker_routes.router.routes
        for method in route.methods
        if route.path not in own
    }
    assert {(row[1], row[2]) for row in ROWS} == served


def test_client_functions_exist_and_call_their_route() -> None:
    """Each function is there, and its source names the last step of its route."""
    functions = {name for name in vars(GuideCalls) if not name.startswith("_")}
    assert {row[3] for row in ROWS} == functions


def test_tests_exist() -> None:
    """Each test named is a test, and calls its client function or its route."""
    tree = ast.parse((ROOT / "tests/service/test_api_guide.py").read_text())
    sources = {
        node.name: ast.unparse(node) for node in tree.body if isinstance(node, ast.FunctionDef)
    }
    for _, _, path, function, test in ROWS:
        step = path.removeprefix("/api/worker").split("{")[0]
        assert function in sources[test] or step in sources[test], test
