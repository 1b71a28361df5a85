"""The OpenAPI document: FastAPI's, completed by the errors of each operation."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from clipmill.protocol import DeletedCompilation, Problem
from clipmill_api.http.request_forms import PLAIN, VERSIONED

DESCRIPTION = """Turns a list of clips into finished videos.

**Authentication.** Every request carries `Authorization: Bearer cm_...`. The identity of the caller
follows from the key alone. A user's key (`cm_u_`) gives access to that user's compilations and
media, a job's key (`cm_j_`) to one stage of one generation until it ends. The operator (`cm_o_`)
and the administrator (`cm_a_`) have operations of their own. Resources of other owners are 404.

**Errors** are problem details (`application/problem+json`) with a stable `code`; `detail` names
field, value and rule. A request that was answered with 503 may be repeated.

**Idempotence.** Every write can be repeated. A PUT names the resource that it creates; a POST that
creates one takes an `Idempotency-Key` or recognizes its repetition. Terminal states do not change.
"""
TAGS = [
    {"name": "compilations", "description": "Submit, watch, edit and cancel; download outputs."},
    {"name": "media", "description": "The media library, and downloads with Range."},
    {"name": "uploads", "description": "Resumable uploads of files."},
    {"name": "account", "description": "Quota and usage of the caller."},
    {
        "name": "credentials",
        "description": "Credentials for platforms and proxies; no response holds a value.",
    },
    {"name": "shows", "description": "Shows, their episodes, and the approval of drafts."},
    {"name": "discovery", "description": "Calls of discover tasks: claim, heartbeat and result."},
    {"name": "webhooks", "description": "Signed notifications, and the log of deliveries."},
    {"name": "worker", "description": "Calls of jobs: claim, heartbeat and result of a task."},
    {
        "name": "legacy worker",
        "description": "The fifteen endpoints of the migration guide, E1 to E15.",
    },
    {"name": "operator", "description": "Registrations, keys of jobs and failed tasks."},
    {"name": "admin", "description": "Users, tiers and keys of users."},
]
LIST_STREAM = "watchCompilations"
# Names of the events of a stream by the models of their data.
EVENTS = {"CompilationView": "compilation", "DeletedCompilation": "deleted"}
# Manifests that the reference page offers as examples.
MANIFESTS: dict[str, Any] = {
    "one": {
        "summary": "Two clips with a fade between them",
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
        "summary": "Two outputs of the same clips; a missing clip fails the compilation",
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
ERRORS = {
    "401": "The key is missing, unknown, revoked or expired.",
    "403": "The key has another role, or quota or tier do not allow the request.",
    "404": "The resource does not exist or belongs to another owner.",
    "409": "The state does not allow the request: ended, superseded, or the lease is lost.",
    "413": "The body is too large.",
    "416": "The range lies outside the file.",
    "422": "The request is not valid; `detail` names field, value and rule.",
    "503": "Temporarily unavailable; repeat the request after Retry-After seconds.",
}


def install(app: FastAPI) -> None:
    """Make the app serve the completed document."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI's documentation does it


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=DESCRIPTION,
        routes=app.routes,
        tags=TAGS,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    components = document["components"]
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    components["schemas"] |= problem.pop("$defs", {}) | {"Problem": problem}
    for unused in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    components["responses"] = {status: _problem(text) for status, text in ERRORS.items()}
    deleted = DeletedCompilation.model_json_schema(by_alias=True)
    components["schemas"]["DeletedCompilation"] = deleted
    document["paths"] = {
        path.replace(PLAIN, VERSIONED, 1): operations
        for path, operations in document["paths"].items()
    }
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            operation["responses"].pop("422", None)
            for status in _error_statuses(path.replace(VERSIONED, PLAIN, 1), method, operation):
                operation["responses"][status] = {"$ref": f"#/components/responses/{status}"}
            _declare_events(operation)
    return document


def _declare_events(operation: dict[str, Any]) -> None:
    """Name the models of the data of server-sent events."""
    stream = operation["responses"].get("200", {}).get("content", {}).get("text/event-stream")
    if not stream:
        return
    names = ["CompilationView"]
    if operation["operationId"] == LIST_STREAM:
        names.append("DeletedCompilation")
    models = [{"$ref": f"#/components/schemas/{name}"} for name in names]
    properties = stream["itemSchema"]["properties"]
    data = {"contentMediaType": "application/json", "contentSchema": {"anyOf": models}}
    properties["data"] = properties["data"] | data
    properties["event"] = {"type": "string", "enum": [EVENTS[name] for name in names]}


def _problem(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {"application/problem+json": {"schema": schema}}}


def _error_statuses(path: str, method: str, operation: dict[str, Any]) -> list[str]:
    """Return the statuses of the errors that an operation may answer with."""
    statuses = {"401", "403"}
    if "{" in path:
        statuses.add("404")
    if "206" in operation["responses"]:
        statuses.add("416")
    if method != "get":
        statuses |= {"404", "409", "503"}
    if "requestBody" in operation or method == "patch":
        statuses.add("413")
    if operation.get("parameters") or method != "get":
        statuses.add("422")
    prefixes = ("/api/worker", "/api/jobs", "/api/credentials", "/api/webhooks")
    if path.startswith(prefixes) or "segments" in path:
        statuses.add("409")
    return sorted(statuses)
