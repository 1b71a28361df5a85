"""The OpenAPI document: what the framework finds out, and the errors that it does not know of."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from clipmill.protocol import Problem

DESCRIPTION = """A list of clips in, one finished video out.

**Keys.** Every call carries `Authorization: Bearer cm_...`. The key says who asks, and nothing else
does: a person's key (`cm_u_`) opens that person's compilations and library, a job's key (`cm_j_`)
one stage of one generation, until it ends; the operator (`cm_o_`) and the administrator (`cm_a_`)
have rooms of their own. What belongs to somebody else is 404.

**Errors** are problem details (`application/problem+json`) with a stable `code`, and say field,
value and rule. After 503, the same request may be sent again.

**Writes can be repeated.** A PUT names what it makes; a POST that makes something takes an
`Idempotency-Key` or knows its own repeat; a state that has ended does not move.
"""
TAGS = [
    {"name": "compilations", "description": "Submit, watch, edit, cancel; fetch the video."},
    {"name": "media", "description": "The library, and bytes down by Range."},
    {"name": "uploads", "description": "Bytes up: announced, appended, checked, published."},
    {"name": "account", "description": "Quota and usage of who asks."},
    {"name": "worker", "description": "What jobs ask. E1 to E15 are the migration guide's."},
    {"name": "operator", "description": "Generations in, keys out, news of pods."},
    {"name": "admin", "description": "Users, tiers and their keys."},
]
MANIFESTS: dict[str, Any] = {
    "one": {
        "summary": "Two clips, the second one entered by a fade",
        "value": {
            "apiVersion": "clipmill.dev/v1alpha1",
            "kind": "Compilation",
            "metadata": {"name": "friday-top-clips"},
            "spec": {
                "clips": [
                    {"name": "opener", "url": "https://clips.twitch.tv/ExampleOpener"},
                    {
                        "name": "clutch",
                        "url": "https://www.twitch.tv/videos/123",
                        "start": "1.5s",
                        "end": "21.5s",
                        "transition": {"type": "Fade", "duration": "500ms"},
                    },
                ],
                "outputs": [{"name": "main", "preset": "youtube"}],
            },
        },
    },
    "two": {
        "summary": "Two outputs of one fetch, failing when a clip is gone",
        "value": {
            "apiVersion": "clipmill.dev/v1alpha1",
            "kind": "Compilation",
            "metadata": {"name": "wide-and-tall"},
            "spec": {
                "onClipError": "Fail",
                "maxClipDuration": "20s",
                "clips": [{"url": "https://clips.twitch.tv/ExampleOpener"}],
                "outputs": [
                    {"name": "main", "preset": "youtube"},
                    {"name": "short", "preset": "youtube_shorts", "fit": "ContainBlur"},
                ],
            },
        },
    },
}
"""Manifests that the page offers to try."""
ERRORS = {
    "401": "The key is missing, unknown or no longer valid.",
    "403": "Another role is needed, or quota or tier do not allow it (with numbers).",
    "404": "There is no such thing, or it is somebody else's.",
    "409": "The state does not allow it: ended, superseded, or a lease was lost.",
    "413": "The body is too large.",
    "416": "The range lies outside the file.",
    "422": "The request is wrong: field, value and rule are named.",
    "503": "Not now: the same request may be sent again after Retry-After seconds.",
}


def install(app: FastAPI) -> None:
    """Let the app tell of its errors in the form that they have."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # the framework's own way


def _document(app: FastAPI) -> dict[str, Any]:
    made = get_openapi(
        title=app.title,
        version=app.version,
        description=DESCRIPTION,
        routes=app.routes,
        tags=TAGS,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    tasks = made["components"]
    tasks["schemas"]["Problem"] = Problem.model_json_schema()
    for unused in ("HTTPValidationError", "ValidationError"):
        tasks["schemas"].pop(unused, None)
    tasks["responses"] = {status: _problem(text) for status, text in ERRORS.items()}
    for path, operations in made["paths"].items():
        for method, operation in operations.items():
            operation["responses"].pop("422", None)
            for status in _statuses(path, method, operation):
                operation["responses"][status] = {"$ref": f"#/components/responses/{status}"}
    return made


def _problem(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {"application/problem+json": {"schema": schema}}}


def _statuses(path: str, method: str, operation: dict[str, Any]) -> list[str]:
    """The errors an operation can answer with."""
    found = ["401", "403"]
    if "{" in path:
        found.append("404")
    if "206" in operation["responses"]:
        found.append("416")
    if method != "get":
        found += ["404", "409", "503"]
    if "requestBody" in operation or method == "patch":
        found.append("413")
    if operation.get("parameters") or method != "get":
        found.append("422")
    if path.startswith("/api/worker") or "segments" in path:
        found.append("409")
    return sorted(set(found))
