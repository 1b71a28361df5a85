"""Requests made from the OpenAPI document, for every operation: nothing is ever a surprise."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation

from clipmill.protocol import Stage
from harness import Harness, running
from pods import url

EXAMPLES = 8
ENDLESS = "/api/compilations/{compilation_id}/events"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """An API of its own: what is tried here must not be in the way of other tests."""
    with running(tmp_path_factory.mktemp("fuzz"), allow_any_host=True) as harness:
        yield harness


@pytest.fixture(scope="module")
def keys(site: Harness) -> dict[str, str]:
    """A key that opens each room, by the start of its paths."""
    owner, _ = site.user()
    uid, _ = site.register(owner, {"clips": [{"url": url()}]})
    job = site.operator.mint(uid, Stage.FETCH, 1)
    return {
        "/api/admin": site.settings.admin_key,
        "/api/operator": site.settings.operator_key,
        "/api/worker": job,
        "/api/segments": job,
        "/api": site.admin.mint(owner),
    }


def attempts(operation: APIOperation, key: str) -> int:
    """Try one operation with made requests; how many there were."""
    tried = 0

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def one(case: Case) -> None:
        nonlocal tried
        tried += 1
        reply = case.call(headers={"Authorization": f"Bearer {key}"})
        assert reply.status_code < 500 or reply.status_code == 503, case.as_curl_command()
        if reply.status_code >= 400 and case.method != "HEAD":
            assert reply.headers["content-type"] == ["application/problem+json"]
            assert reply.json()["code"]

    one()
    return tried


def test_no_request_is_a_surprise(site: Harness, keys: dict[str, str]) -> None:
    """Well formed or not: never 500, every error as problem details with a code."""
    schema = schemathesis.openapi.from_asgi("/openapi.json", site.app)
    tried = 0
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        if operation.path != ENDLESS:
            key = next(key for start, key in keys.items() if operation.path.startswith(start))
            tried += attempts(operation, key)
    assert tried > 200
