"""Routes whose endpoint's thread computes the values of dependencies."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI

from clipmill_api.http import problem_details
from clipmill_api.http.metrics import Metrics
from clipmill_api.http.one_thread import Deferred, OneThreadRoute, defer
from clipmill_api.http.problem_details import ApiProblem


def refuse() -> int:
    """Refuse the caller."""
    raise ApiProblem(401, "Unauthorized", "the key is unknown")


def deferring(compute: Callable[[], int]) -> Any:
    """Return a dependency that defers a function."""

    async def dependency() -> int | Deferred[int]:
        return await defer(compute)

    return Depends(dependency)


Ident = Annotated[int, deferring(threading.get_ident)]
Refused = Annotated[int, deferring(refuse)]
router = APIRouter(route_class=OneThreadRoute)
answered: list[str] = []
plain = APIRouter()


@router.get("/threads")
@plain.get("/plain")
def threads(ident: Ident) -> list[int]:
    """Return the threads of a dependency and of the endpoint."""
    return [ident, threading.get_ident()]


@router.get("/coroutine")
async def coroutine(ident: Ident) -> list[int]:
    """Return the threads of a dependency and of the event loop."""
    return [ident, threading.get_ident()]


@router.get("/refused/{number}")
def refused(number: int, _: Refused) -> int:
    """Return the number to callers who are not refused."""
    return number


@router.get("/forgotten", dependencies=[deferring(threading.get_ident)])
def forgotten() -> str:
    """Return a secret without the value of the dependency."""
    answered.append("forgotten")
    return "secret"


async def get(path: str) -> httpx.Response:
    """Return the response to a request."""
    app = FastAPI()
    problem_details.install(app)
    app.state.context = type("Shared", (), {"metrics": Metrics()})()
    app.include_router(router, prefix="/api")
    app.include_router(plain)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.get(path)


def response(path: str) -> httpx.Response:
    """Return the response to a request."""
    return asyncio.run(get(path))


def test_one_thread_for_all() -> None:
    """The endpoint's thread computes the value, and it is not that of the event loop."""
    used = response("/api/threads").json()
    assert used[0] == used[1] != threading.get_ident()


@pytest.mark.parametrize("path", ["/plain", "/api/coroutine"])
def test_other_endpoints_get_the_value(path: str) -> None:
    """Of other routes and coroutines, a thread computes the value before the endpoint runs."""
    computed_by, _ = response(path).json()
    assert computed_by != threading.get_ident()


@pytest.mark.parametrize("path", ["/api/refused/1", "/api/refused/word"])
def test_a_refused_caller_learns_nothing_else(path: str) -> None:
    """The refusal comes before what is wrong with the request."""
    assert response(path).status_code == 401


def test_a_forgotten_value_is_an_error() -> None:
    """An endpoint that does not take the value of a dependency is not run."""
    reply = response("/api/forgotten")
    assert reply.status_code == 500
    assert "secret" not in reply.text
    assert answered == []
