"""Requests generated from the OpenAPI document, by every role: never 500, never another's data.

CLIPMILL_FUZZ_CASES is the number of requests; `./run faults` sends 20,000.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation

from clipmill.protocol import MediaKind, Stage, Upload, UploadPurpose
from harness import Harness, library_clip, new_manifest, running
from pods import announcement, url

EVENT_STREAM = "/api/compilations/{compilation_id}/events"
Roles = tuple[str, ...]
# Those that may see one owner only, and those that may change what belongs to everybody.
CONFINED: Roles = ("user", "job", "nobody")
PRIVILEGED: Roles = ("operator", "admin")
DEFAULT_CASES = 20_000 if os.environ.get("CLIPMILL_FAULTS") == "all" else 0
CASES = int(os.environ.get("CLIPMILL_FUZZ_CASES", DEFAULT_CASES))
EXAMPLES = 8  # of each operation, without a number
# Another seed sends other requests, so that a long run can be divided into several.
SEED = int(os.environ.get("CLIPMILL_FAULTS_SEED", "0"))


@dataclass(frozen=True, slots=True)
class Owner:
    """An owner with something of each kind. `ids` and `texts` occur nowhere else."""

    name: str
    key: str
    job_key: str
    ids: frozenset[str]
    texts: frozenset[str]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """An API of its own, so that these requests do not disturb other tests."""
    with running(tmp_path_factory.mktemp("fuzz"), allow_any_host=True) as harness:
        yield harness


@pytest.fixture(scope="module")
def owners(site: Harness, two_seconds: Path) -> tuple[Owner, Owner]:
    """The owner whose keys are used, and one whose data must never be seen."""
    return seeded(site, two_seconds), seeded(site, two_seconds)


def seeded(site: Harness, clip: Path) -> Owner:
    """Create an owner with media, compilations, a submission, an upload and a job."""
    name, user = site.user()
    secret = f"secret-{name}"
    media = library_clip(user, clip)
    created = user.create(new_manifest(media.id, name=secret[:50], title=f"{secret} title"))
    uid, plan = site.register(name, {"clips": [{"url": url()}], "title": f"{secret} fetch"})
    request = announcement(clip, UploadPurpose.LIBRARY, kind=MediaKind.CLIP)
    other = request.model_copy(update={"sha256": "ab" * 32, "filename": f"{secret}.mp4"})
    upload = user.connection.request_as(Upload, "POST", "/api/uploads", body=other)
    ids = {media.id, created.id, uid, plan.compilation_id or uid, upload.id}
    job_key = site.operator.create_key(uid, Stage.FETCH, 1)
    return Owner(name, site.admin.create_key(name), job_key, frozenset(ids), frozenset({secret}))


def keys_of(site: Harness, owner: Owner) -> dict[str, str]:
    """Return a key of each role."""
    return {
        "user": owner.key,
        "job": owner.job_key,
        "operator": site.settings.operator_key,
        "admin": site.settings.admin_key,
        "nobody": "",
    }


def own_role(path: str) -> str:
    """Return the role that an operation is for."""
    prefixes = {"/api/admin": "admin", "/api/operator": "operator", "/api/worker": "job"}
    prefixes["/api/segments"] = "job"
    return next((role for start, role in prefixes.items() if path.startswith(start)), "user")


def operations(site: Harness) -> list[APIOperation]:
    """Return all operations but the event stream, which does not end."""
    schema = schemathesis.openapi.from_asgi("/openapi.json", site.app)
    results = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    return [operation for operation in results if operation.path != EVENT_STREAM]


def foreign_data(reply: Any, case: Case, other: Owner) -> list[str]:
    """Return what a response holds of another owner's, apart from what the request named."""
    asked = repr([case.path_parameters, case.query, dict(case.headers or {}), case.body])
    body = (reply.content or b"").decode("utf-8", "replace")
    return [word for word in other.ids | other.texts if word in body and word not in asked]


def attempts(
    operation: APIOperation, keys: dict[str, str], count: int, owners: tuple[Owner, Owner]
) -> int:
    """Send generated requests to an operation by these keys; return their number."""
    own, other = owners
    sent = 0
    ids = st.sampled_from([None, *sorted(own.ids), *sorted(other.ids)])
    role = own_role(operation.path)
    # Half of the requests are those of the role that the operation is for.
    callers = st.sampled_from([role] * len(keys) + list(keys) if role in keys else list(keys))

    @seed(SEED)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(), existing=ids, caller=callers)
    def send(case: Case, existing: str | None, caller: str) -> None:
        nonlocal sent
        sent += 1
        key = keys[caller]
        if existing is not None and case.path_parameters:
            case.path_parameters = dict.fromkeys(case.path_parameters, existing)
        reply = case.call(headers={"Authorization": f"Bearer {key}"} if key else {})
        assert reply.status_code < 500 or reply.status_code == 503, case.as_curl_command()
        if reply.status_code >= 400 and case.method != "HEAD":
            assert reply.headers["content-type"] == ["application/problem+json"]
            assert reply.json()["code"]
        if caller in CONFINED:
            assert foreign_data(reply, case, other) == [], case.as_curl_command()

    send()
    return sent


def rows_of(site: Harness, owner: Owner) -> list[list[dict[str, Any]]]:
    """Return what the database holds of an owner."""
    tables = {"compilations": "id", "media": "id", "uploads": "id"}
    return [
        site.rows(f"SELECT * FROM {table} WHERE owner = :o ORDER BY {column}", o=owner.name)
        for table, column in tables.items()
    ]


def test_no_request_is_answered_with_500_or_another_owners_data(
    site: Harness, owners: tuple[Owner, Owner]
) -> None:
    """Every error is problem details with a code; the other owner's rows stay as they were."""
    own, other = owners
    keys, before = keys_of(site, own), rows_of(site, other)
    confined = {role: keys[role] for role in CONFINED}
    privileged = {role: keys[role] for role in PRIVILEGED}
    all_operations = operations(site)
    count = max(EXAMPLES, CASES // (2 * len(all_operations)))
    sent = sum(attempts(operation, confined, count, owners) for operation in all_operations)
    assert rows_of(site, other) == before
    for operation in all_operations:
        if CASES or own_role(operation.path) in PRIVILEGED:
            sent += attempts(operation, privileged, count, owners)
    print(f"requests: {sent}")
    assert sent > max(200, CASES // 2)
