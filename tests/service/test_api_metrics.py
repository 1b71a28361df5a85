"""What Prometheus reads, and what the OpenAPI document says: both of one running API."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from clipmill_api.http.openapi import ERRORS, MANIFESTS
from clipmill_client.errors import PermanentError
from harness import Harness, library_clip


def scrape(api: Harness) -> dict[str, float]:
    """Every sample of /metrics by its name and labels."""
    text = api.admin._wire.once("GET", "/metrics").text
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_counts_move(api: Harness, two_seconds: Path) -> None:
    """Requests by pattern, durations, bytes both ways, refusals by code, compilations by state."""
    owner, user = api.user(render_limit_seconds=1)
    before = scrape(api)
    media = library_clip(user, two_seconds)
    with pytest.raises(PermanentError):
        api.register(owner, {"clips": [{"mediaId": media.id}]})
    user.wire.once("GET", f"/api/media/{media.id}/content")
    api.user()
    after = scrape(api)

    def grown(name: str) -> float:
        return after.get(name, 0) - before.get(name, 0)

    size = two_seconds.stat().st_size
    assert grown('clipmill_refusals_total{code="QuotaExceeded"}') == 1
    put = '{method="PUT",route="/api/operator/compilations/{uid}",status="403"}'
    assert grown(f"clipmill_requests_total{put}") == 1
    got = '{method="GET",route="/api/media/{media_id}/content"}'
    assert grown(f"clipmill_request_seconds_count{got}") == 1
    assert size <= grown('clipmill_body_bytes_total{direction="in"}') < size + 20_000
    assert grown('clipmill_body_bytes_total{direction="out"}') >= size
    assert 'clipmill_compilations{state="Rendering"}' in after
    names = "\n".join(after)
    assert owner not in names
    assert media.id not in names


def test_states_are_counted(api: Harness, two_seconds: Path) -> None:
    """A compilation that starts and is cancelled moves from one state to the other."""
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
    found: dict[str, Any] = api.admin._wire.once("GET", "/openapi.json").json()
    return found


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Every operation with a name."""
    return [
        (f"{method} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_document_says_what_things_are(document: dict[str, Any]) -> None:
    """Each operation has a tag that is described, a description, security and its errors."""
    tags = {tag["name"] for tag in document["tags"]}
    ids = [operation["operationId"] for _, operation in operations(document)]
    assert len(ids) == len(set(ids))
    for name, operation in operations(document):
        assert set(operation["tags"]) <= tags, name
        assert len(operation["description"]) > 8, name
        assert operation["security"] == [{"HTTPBearer": []}], name
        assert {"401", "403"} <= set(operation["responses"]), name
    assert "HTTPValidationError" not in document["components"]["schemas"]
    for status in ERRORS:
        content = document["components"]["responses"][status]["content"]
        assert list(content) == ["application/problem+json"]


def test_every_field_of_the_spec_is_described(document: dict[str, Any]) -> None:
    """What people write is explained where they write it."""
    fields = document["components"]["schemas"]["CompilationSpec-Input"]["properties"]
    assert [name for name in fields if not {"description", "$ref"} & set(fields[name])] == []


@pytest.mark.parametrize("name", MANIFESTS)
def test_examples_are_taken(api: Harness, document: dict[str, Any], name: str) -> None:
    """Each example of the page is a manifest that the API plans as it stands."""
    _, user = api.user()
    shown = document["paths"]["/api/plan"]["post"]["requestBody"]["content"]["application/json"]
    manifest = shown["examples"][name]["value"]
    plan = user.wire.once("POST", "/api/plan", json=manifest).json()
    assert len(plan["outputs"]) == len(manifest["spec"]["outputs"])


def test_patterns_hold_in_javascript(document: dict[str, Any]) -> None:
    """No pattern of the document uses what only Python understands."""
    text = str(document["components"]["schemas"])
    assert not re.search(r"\(\?P<|\\\\Z|\\\\A", text)
