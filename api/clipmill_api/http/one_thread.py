"""Routes that answer a request in one thread: its authentication, then its endpoint.

FastAPI starts a thread for each dependency that waits for the database, for the endpoint, and to
validate the response. Handing a request over costs more than the query for its key.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from functools import wraps
from typing import Any, Generic, TypeVar

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute

T = TypeVar("T")
# The values that the thread of this request's endpoint is to compute.
_deferred: ContextVar[list[Deferred[Any]] | None] = ContextVar("deferred", default=None)
# Attribute of an endpoint that takes them.
_DEFERRED_ARGUMENTS = "_takes_deferred_arguments"


class Deferred(Generic[T]):
    """The value of a dependency, computed once by the thread that runs the endpoint."""

    def __init__(self, compute: Callable[[], T]) -> None:
        self._compute = compute
        self.was_computed = False

    def compute(self) -> T:
        """Return the value, or raise the problem of the request."""
        self.was_computed = True
        return self._compute()


async def defer(compute: Callable[[], T]) -> T | Deferred[T]:
    """Return the value of a dependency, or what the route passes to its endpoint as that value."""
    deferred = _deferred.get()
    if deferred is None:
        return await run_in_threadpool(compute)
    deferred.append(Deferred(compute))
    return deferred[-1]


class OneThreadRoute(APIRoute):
    """A route whose endpoint, unless a coroutine, gets values that its own thread computes."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, _in_one_thread(endpoint), **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of the route's requests."""
        handle = super().get_route_handler()
        if not hasattr(self.endpoint, _DEFERRED_ARGUMENTS):
            return handle

        async def handle_deferred(request: Request) -> Response:
            deferred: list[Deferred[Any]] = []
            token = _deferred.set(deferred)
            try:
                return await handle(request)
            except Exception:
                # A caller without a valid key learns nothing but that.
                for value in deferred:
                    if not value.was_computed:
                        await run_in_threadpool(value.compute)
                raise
            finally:
                _deferred.reset(token)

        return handle_deferred


def _in_one_thread(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """Return an endpoint that runs another one in a thread, with the values computed there."""
    if inspect.iscoroutinefunction(endpoint) or inspect.isgeneratorfunction(endpoint):
        return endpoint

    def run(arguments: dict[str, Any]) -> Any:
        values = {
            name: value.compute() if isinstance(value, Deferred) else value
            for name, value in arguments.items()
        }
        return endpoint(**values)

    @wraps(endpoint)
    async def run_in_thread(**arguments: Any) -> Any:
        taken = {id(value) for value in arguments.values()}
        if not taken.issuperset(map(id, _deferred.get() or ())):
            raise RuntimeError(f"{endpoint.__name__}: a dependency's value is no argument")
        return await run_in_threadpool(run, arguments)

    setattr(run_in_thread, _DEFERRED_ARGUMENTS, True)
    return run_in_thread
