"""Errors as problem details (RFC 9457), each with a stable code."""

from __future__ import annotations

import errno
import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from obstore.exceptions import BaseError as StoreError
from starlette.exceptions import HTTPException
from starlette.middleware.body_limit import MAX_BODY_SIZE_SCOPE_KEY

from clipmill.spec.input_rules import input_rule
from clipmill_api.database import UNAVAILABLE

log = logging.getLogger(__name__)
SHOWN_CHARS = 80
MAX_ERRORS = 10
# Bodies sent to these paths hold secrets, so that no error shows a value of them.
SECRET_PATHS = ("/api/credentials", "/api/webhooks")
RETRY_AFTER_S = 2
DISK_RETRY_AFTER_S = 30
NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
# Errors of a disk or of its connection, which a later attempt may not meet.
DISK_ERRORS = (errno.EIO, errno.ESTALE, errno.EROFS)


class ApiProblem(Exception):
    """An error with its HTTP status, its stable code and the facts behind it."""

    def __init__(self, status: int, code: str, detail: str, **facts: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.facts = facts


def not_found(resource: str, name: str) -> ApiProblem:
    """Return the error of a resource that does not exist or belongs to another owner."""
    return ApiProblem(404, "NotFound", f"{resource} {name[:SHOWN_CHARS]!r} does not exist")


def disk_full(**facts: int) -> ApiProblem:
    """Return the error of a request for whose bytes the disk has no space."""
    detail = "the disk of the API is almost full; delete files, or retry later"
    return ApiProblem(507, "DiskFull", detail, **facts)


def install(app: FastAPI) -> None:
    """Make the app answer every error as problem details."""
    app.add_exception_handler(ApiProblem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_exception)
    for unavailable in UNAVAILABLE:
        app.add_exception_handler(unavailable, _on_database_unavailable)
    app.add_exception_handler(OSError, _on_os_error)
    app.add_exception_handler(StoreError, _on_store_error)
    app.add_exception_handler(Exception, _on_unexpected_error)


def problem_response(status: int, code: str, detail: str, **facts: Any) -> JSONResponse:
    """Return a response with problem details.

    Args:
        status: HTTP status.
        code: Stable PascalCase code.
        detail: One sentence that names field, value and rule.
        facts: Further members of the problem, such as limits.
    """
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    return JSONResponse(
        body | {"detail": detail, "code": code, **facts},
        status,
        _headers(status, facts),
        media_type="application/problem+json",
    )


def _headers(status: int, facts: dict[str, Any]) -> dict[str, str] | None:
    if status == 401:
        return {"WWW-Authenticate": "Bearer"}
    if status == 416:
        return {"Content-Range": f"bytes */{facts['sizeBytes']}"}
    if status == 507:
        return {"Retry-After": str(DISK_RETRY_AFTER_S)}
    return {"Retry-After": str(RETRY_AFTER_S)} if status == 503 else None


async def _on_problem(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ApiProblem)
    request.app.state.context.metrics.refusals.labels(error.code).inc()
    return problem_response(error.status, error.code, error.detail, **error.facts)


async def _on_invalid_request(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    body = getattr(request.scope.get("route"), "body_field", None)
    root = body.field_info.annotation if body else None
    errors = [_field_error(entry, root) for entry in error.errors()[:MAX_ERRORS]]
    if request.url.path.startswith(SECRET_PATHS):
        errors = [entry | {"value": None} for entry in errors]
    first = errors[0]
    detail = f"{first['field']}: {first['rule']}"
    if first["value"] is not None:
        detail += f" (value: {first['value']})"
    return problem_response(422, "Invalid", detail, errors=errors)


def _field_error(error: dict[str, Any], root: Any) -> dict[str, Any]:
    """Return field, value and rule of a pydantic error.

    Args:
        error: Its location starts with where the value is: body, query or path.
        root: Annotation of the request's body.
    """
    if error["type"] == "json_invalid":
        rule = f"not valid JSON: {error['ctx']['error']} at character {error['loc'][-1]}"
        return {"field": "body", "value": None, "rule": rule}
    field = ""
    for step in error["loc"][1:] or error["loc"]:
        field += f"[{step}]" if isinstance(step, int) else f".{step}" if field else str(step)
    value = error.get("input")
    shown = None if isinstance(value, dict | list) else repr(value)
    if shown and len(shown) > SHOWN_CHARS:
        shown = f"{shown[:SHOWN_CHARS]}... ({len(shown)} characters)"
    place, *steps = error["loc"] or ("",)
    rule = input_rule(error, steps, root if place == "body" else None)
    return {"field": field, "value": shown, "rule": rule}


async def _on_http_exception(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    operation = f"{request.method} {request.url.path[:SHOWN_CHARS]}"
    headers = error.headers or {}
    problems = {
        404: ("NotFound", f"{operation} does not exist"),
        405: ("MethodNotAllowed", f"{operation}: allowed methods are {headers.get('Allow', '')}"),
        413: (
            "TooLarge",
            f"body: at most {request.scope.get(MAX_BODY_SIZE_SCOPE_KEY)} bytes are allowed",
        ),
    }
    code, detail = problems.get(error.status_code, ("BadRequest", error.detail))
    response = problem_response(error.status_code, code, detail)
    response.headers.update(headers)
    return response


async def _on_database_unavailable(request: Request, error: Exception) -> JSONResponse:
    # SQLAlchemy's message holds the statement with its values; the driver's does not.
    cause = " ".join(str(getattr(error, "orig", None) or type(error).__name__).split())
    log.warning("database method=%s path=%s cause=%s", request.method, request.url.path, cause)
    if "disk is full" in cause or "No space left" in cause:
        return await _on_problem(request, disk_full())
    return problem_response(503, "DatabaseUnavailable", "the database does not answer; retry later")


async def _on_os_error(request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, OSError) and error.errno in NO_SPACE:
        return await _on_problem(request, disk_full())
    if isinstance(error, OSError) and error.errno in DISK_ERRORS:
        return await _on_store_error(request, error)
    return await _on_unexpected_error(request, error)


async def _on_store_error(request: Request, error: Exception) -> JSONResponse:
    log.error("storage method=%s path=%s cause=%s", request.method, request.url.path, error)
    detail = "the disk or the blob store of the API failed; retry later"
    return await _on_problem(request, ApiProblem(503, "StorageFailed", detail))


async def _on_unexpected_error(request: Request, error: Exception) -> JSONResponse:
    log.exception("error method=%s path=%s", request.method, request.url.path, exc_info=error)
    detail = "an unexpected error occurred in the API; it has been logged"
    return problem_response(500, "Internal", detail)
