"""One key cannot take the whole API: 429 for its requests, answers for all others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from clipmill_api.http.authentication import new_key
from clipmill_client.client import Client
from harness import Harness, running


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Harness]:
    """An API with a low limit."""
    limits = {"requests_per_second": 5, "requests_in_flight": 8}
    with running(tmp_path / "state", allow_any_host=True, **limits) as harness:
        yield harness


def test_one_key_is_limited_and_others_are_not(api: Harness) -> None:
    """Of 60 requests at once, those beyond the burst get 429 with Retry-After and RateLimit."""
    owner, other = api.user()[0], api.user()[1]
    headers = {"Authorization": f"Bearer {api.admin.create_key(owner)}"}
    with httpx.Client(verify=False, timeout=60) as http, ThreadPoolExecutor(20) as pool:

        def send(_: int) -> httpx.Response:
            return http.get(f"{api.url}/api/compilations", headers=headers)

        replies = list(pool.map(send, range(60)))
        assert other.compilations().items == []
        assert http.get(f"{api.url}/healthz", headers=headers).status_code in (200, 429)
    statuses = Counter(reply.status_code for reply in replies)
    assert set(statuses) == {200, 429}
    assert statuses[200] >= 20
    refused = next(reply for reply in replies if reply.status_code == 429)
    assert refused.json()["code"] == "TooManyRequests"
    assert refused.headers["content-type"] == "application/problem+json"
    assert int(refused.headers["Retry-After"]) >= 1
    assert refused.headers["RateLimit-Policy"] == '"requests";q=20;w=4'


def test_operator_and_administrator_are_not_limited(api: Harness) -> None:
    """They are trusted, and the operator asks for every compilation."""
    for _ in range(40):
        api.operator.active_compilations()
        api.admin.users()


def test_the_sdk_waits_and_succeeds(api: Harness) -> None:
    """429 is retryable: a loop of calls ends without an error."""
    owner, _ = api.user()
    with Client(api.url, api.admin.create_key(owner)) as user:
        assert all(user.compilations().items == [] for _ in range(26))


def test_guessed_keys_share_a_limit_and_take_no_query_beyond_it(api: Harness) -> None:
    """Keys that were proven valid are not affected."""
    _, user = api.user()
    assert user.compilations().items == []
    with httpx.Client(verify=False, timeout=60) as http, ThreadPoolExecutor(40) as pool:

        def guess(_: int) -> int:
            headers = {"Authorization": f"Bearer {new_key('user')}"}
            return http.get(f"{api.url}/api/compilations", headers=headers).status_code

        statuses = Counter(pool.map(guess, range(300)))
        assert user.compilations().items == []
    assert set(statuses) == {401, 429}
    assert statuses[429] > 100
