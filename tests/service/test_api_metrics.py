"""The metrics of a running API, and its OpenAPI document."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from clipmill_api.http.openapi import ERRORS, MANIFESTS
from clipmill_client import PermanentError
from harness import Harness, library_clip
from scraping import scrape


def test_counts_move(api: Harness, two_seconds: Path) -> None:
    """Requests, durations and sizes by route pattern, refusals by code, compilations by state."""
    owner, user = api.user(render_limit_seconds=1)
    before = scrape(api)
    media = library_clip(user, two_seconds)
    with pytest.raises(PermanentError):
        api.register(owner, {"clips": [{"mediaId": media.id}]})
    user.connection.request_once("GET", f"/api/media/{media.id}/content")
    api.user()
    after = scrape(api)

    def increase(name: str) -> float:
        return after.get(name, 0) - before.get(name, 0)

    size = two_seconds.stat().st_size
    assert increase('clipmill_refusals_total{code="QuotaExceeded"}') == 1
    register = '{handler="/api/operator/compilations/{uid}",method="PUT",status="403"}'
    assert increase(f"clipmill_http_requests_total{register}") == 1
    download = '{handler="/api/media/{media_id}/content",method="GET"}'
    assert increase(f"clipmill_http_request_duration_seconds_count{download}") == 1
    upload = '{handler="/api/uploads/{upload_id}",method="PATCH"}'
    assert increase(f"clipmill_http_request_size_bytes_sum{upload}") == size
    assert increase(f"clipmill_http_response_size_bytes_sum{download}") == size
    assert 'clipmill_compilations{state="Rendering"}' in after
    names = "\n".join(after)
    assert owner not in names
    assert media.id not in names


def test_unknown_paths_are_one_handler(api: Harness) -> None:
    """A path without a route, with a slash too many too, adds no label."""
    client = api.client("none")
    before = scrape(api)
    for path in ("/nothing", "/api/media/m-0123/", "/api/media/m-0123/x"):
        with pytest.raises(PermanentError):
            client.connection.request_once("GET", path)
    after = scrape(api)
    unknown = 'clipmill_http_requests_total{handler="none",method="GET",status="404"}'
    assert after[unknown] - before.get(unknown, 0) == 3
    assert not [name for name in after if "m-0123" in name]


def test_states_are_counted(api: Harness, two_seconds: Path) -> None:
    """A compilation that is cancelled moves from one state to the other."""
    owner, user = api.user()
    media = library_clip(user, two_seconds)
    state = 'clipmill_compilations{{state="{}"}}'.format
    before = scrape(api)
    _, plan = api.register(owner, {"clips": [{"mediaId": media.id}]})
    between = scrape(api)
    user.cancel(str(plan.compilation_id))
    after = scrape(api)
    assert between[state("Rendering")] == before[state("Rendering")] + 1
    assert after[state("Rendering")] == before[state("Rendering")]
    assert after[state("Cancelled")] == before[state("Cancelled")] + 1


@pytest.fixture(scope="module")
def document(api: Harness) -> dict[str, Any]:
    """The OpenAPI document."""
    response = api.client("none").connection.request_once("GET", "/openapi.json")
    openapi: dict[str, Any] = response.json()
    return openapi


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return every operation with its method and path."""
    return [
        (f"{method} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_operation_is_described(document: dict[str, Any]) -> None:
    """Each operation has a short id, a described tag, a description, security and its errors."""
    tags = {tag["name"] for tag in document["tags"]}
    ids = [operation["operationId"] for _, operation in operations(document)]
    assert len(ids) == len(set(ids))
    assert [name for name in ids if not re.fullmatch(r"[a-z]+([A-Z][a-z]+){1,4}", name)] == []
    assert {"listCompilations", "createCompilation", "watchCompilation", "claimTask"} <= set(ids)
    for name, operation in operations(document):
        assert set(operation["tags"]) <= tags, name
        assert len(operation["description"]) > 8, name
        # The signature of a share link stands in for a key.
        if "/shared/" not in name:
            assert operation["security"] == [{"HTTPBearer": []}], name
            assert {"401", "403"} <= set(operation["responses"]), name
    assert "HTTPValidationError" not in document["components"]["schemas"]
    for status in ERRORS:
        content = document["components"]["responses"][status]["content"]
        assert list(content) == ["application/problem+json"]


def test_every_field_of_the_spec_is_described(document: dict[str, Any]) -> None:
    """Each field of a manifest has a description."""
    fields = document["components"]["schemas"]["CompilationSpec"]["properties"]
    assert [name for name in fields if not {"description", "$ref"} & set(fields[name])] == []


@pytest.mark.parametrize("name", MANIFESTS)
def test_examples_are_taken(api: Harness, document: dict[str, Any], name: str) -> None:
    """Each example of the reference page is a manifest that the API plans."""
    _, user = api.user()
    body = document["paths"]["/api/v1/plan"]["post"]["requestBody"]["content"]["application/json"]
    manifest = body["examples"][name]["value"]
    plan = user.connection.request_once("POST", "/api/plan", json=manifest).json()
    assert len(plan["outputs"]) == len(manifest["spec"]["outputs"])


def test_patterns_hold_in_javascript(document: dict[str, Any]) -> None:
    """No pattern of the document uses syntax that only Python has."""
    text = str(document["components"]["schemas"])
    assert not re.search(r"\(\?P<|\\\\Z|\\\\A", text)


def test_space_on_the_disk(api: Harness) -> None:
    """An alert compares the free space with the floor."""
    values = scrape(api)
    assert values["clipmill_disk_free_bytes"] > values["clipmill_disk_floor_bytes"] > 0
