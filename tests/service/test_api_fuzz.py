"""Requests generated from the OpenAPI document, for every operation: never 500."""

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
EVENT_STREAM = "/api/compilations/{compilation_id}/events"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """An API of its own, so that these requests do not disturb other tests."""
    with running(tmp_path_factory.mktemp("fuzz"), allow_any_host=True) as harness:
        yield harness


@pytest.fixture(scope="module")
def keys(site: Harness) -> dict[str, str]:
    """A key for each group of operations, by the prefix of their paths."""
    owner, _ = site.user()
    uid, _ = site.register(owner, {"clips": [{"url": url()}]})
    job = site.operator.create_key(uid, Stage.FETCH, 1)
    return {
        "/api/admin": site.settings.admin_key,
        "/api/operator": site.settings.operator_key,
        "/api/worker": job,
        "/api/segments": job,
        "/api": site.admin.create_key(owner),
    }


def attempts(operation: APIOperation, key: str) -> int:
    """Send generated requests to an operation; return their number."""
    count = 0

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def send(case: Case) -> None:
        nonlocal count
        count += 1
        reply = case.call(headers={"Authorization": f"Bearer {key}"})
        assert reply.status_code < 500 or reply.status_code == 503, case.as_curl_command()
        if reply.status_code >= 400 and case.method != "HEAD":
            assert reply.headers["content-type"] == ["application/problem+json"]
            assert reply.json()["code"]

    send()
    return count


def test_no_request_is_answered_with_500(site: Harness, keys: dict[str, str]) -> None:
    """Every error is problem details with a code."""
    schema = schemathesis.openapi.from_asgi("/openapi.json", site.app)
    count = 0
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        if operation.path != EVENT_STREAM:
            key = next(key for start, key in keys.items() if operation.path.startswith(start))
            count += attempts(operation, key)
    assert count > 200
