"""Refuse query parameters that a route does not have: a misspelled filter must not match all."""

from __future__ import annotations

from difflib import get_close_matches

from fastapi import Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Query
from fastapi.routing import APIRoute

from clipmill_api.http.problem_details import ApiProblem

SHOWN_CHARS = 60


async def refuse_unknown_parameters(request: Request) -> None:
    """Check the names of the query parameters of a GET or HEAD. Raises 422."""
    if request.method not in ("GET", "HEAD") or not request.query_params:
        return
    names = _names(request.scope["route"])
    for name in request.query_params:
        if name not in names:
            raise _unknown(name, names)


def _names(route: APIRoute) -> tuple[str, ...]:
    parameters = get_flat_params(route.dependant)
    return tuple(p.alias for p in parameters if isinstance(p.field_info, Query))


def _unknown(name: str, names: tuple[str, ...]) -> ApiProblem:
    close = get_close_matches(name[:SHOWN_CHARS], names, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(names) or 'none'}"
    detail = f"{name[:SHOWN_CHARS]}: unknown query parameter; {hint}"
    return ApiProblem(422, "Invalid", detail, field=name[:SHOWN_CHARS])
