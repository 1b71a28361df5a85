"""Every error a person or a program sees: problem details with a stable code."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import InterfaceError, OperationalError, TimeoutError
from starlette.exceptions import HTTPException

log = logging.getLogger(__name__)
SHOWN_CHARS = 80


class ApiProblem(Exception):
    """An error with its status, its code and the facts behind it."""

    def __init__(self, status: int, code: str, detail: str, **facts: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.facts = facts


def not_found(what: str, name: str) -> ApiProblem:
    """There is none, or it is somebody else's: the two look the same."""
    return ApiProblem(404, "NotFound", f"there is no {what} {name[:SHOWN_CHARS]!r}")


def install(app: FastAPI) -> None:
    """Make the app answer every error in one form."""
    app.add_exception_handler(ApiProblem, _of_problem)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(HTTPException, _of_http)
    for away in (OperationalError, InterfaceError, TimeoutError):
        app.add_exception_handler(away, _of_database)
    app.add_exception_handler(Exception, _of_surprise)


def reply(status: int, code: str, detail: str, **facts: Any) -> JSONResponse:
    """An error as problem details."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    return JSONResponse(
        body | {"detail": detail, "code": code, **facts},
        status,
        _headers(status, facts),
        media_type="application/problem+json",
    )


def _headers(status: int, facts: dict[str, Any]) -> dict[str, str] | None:
    """What HTTP wants to be told beside a status."""
    if status == 401:
        return {"WWW-Authenticate": "Bearer"}
    if status == 416:
        return {"Content-Range": f"bytes */{facts['sizeBytes']}"}
    return {"Retry-After": "2"} if status == 503 else None


async def _of_problem(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ApiProblem)
    request.app.state.context.metrics.refusals.labels(error.code).inc()
    return reply(error.status, error.code, error.detail, **error.facts)


async def _of_validation(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    errors = [_named(one) for one in error.errors()[:10]]
    first = errors[0]
    detail = f"{first['field']}: {first['rule']}"
    if first["value"] is not None:
        detail += f" (given: {first['value']})"
    return reply(422, "Invalid", detail, errors=errors)


def _named(error: dict[str, Any]) -> dict[str, Any]:
    """Field, value and rule of one pydantic error."""
    if error["type"] == "json_invalid":
        rule = f"no JSON: {error['ctx']['error']} at character {error['loc'][-1]}"
        return {"field": "body", "value": None, "rule": rule}
    field = ""
    for step in error["loc"][1:] or error["loc"]:
        field += f"[{step}]" if isinstance(step, int) else f".{step}" if field else str(step)
    value = error.get("input")
    shown = None if isinstance(value, dict | list) else repr(value)
    if shown and len(shown) > SHOWN_CHARS:
        shown = f"{shown[:SHOWN_CHARS]}... ({len(shown)} characters)"
    return {"field": field, "value": shown, "rule": error["msg"].removeprefix("Value error, ")}


async def _of_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    asked = f"{request.method} {request.url.path[:SHOWN_CHARS]}"
    known = {
        404: ("NotFound", f"there is no {asked}"),
        405: ("MethodNotAllowed", f"{asked}: allowed is {(error.headers or {}).get('Allow', '')}"),
        413: ("TooLarge", error.detail),
    }
    code, detail = known.get(error.status_code, ("BadRequest", error.detail))
    made = reply(error.status_code, code, detail)
    made.headers.update(error.headers or {})
    return made


async def _of_database(request: Request, error: Exception) -> JSONResponse:
    """It restarts, or its connections are all taken: no fault of the request's."""
    # The driver's own words: SQLAlchemy's hold the statement and its values.
    cause = " ".join(str(getattr(error, "orig", None) or type(error).__name__).split())
    log.warning("database method=%s path=%s cause=%s", request.method, request.url.path, cause)
    return reply(503, "DatabaseUnavailable", "the database does not answer now; try again")


async def _of_surprise(request: Request, error: Exception) -> JSONResponse:
    log.exception("surprise method=%s path=%s", request.method, request.url.path, exc_info=error)
    return reply(500, "Internal", "something went wrong here; it has been logged")
