"""Bodies in YAML, wherever a route takes JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

import yaml
from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.security.utils import get_authorization_scheme_param
from starlette.types import Message

from clipmill_api.http.authentication import authenticate_key
from clipmill_api.http.one_thread import OneThreadRoute
from clipmill_api.http.problem_details import ApiProblem

MEDIA_TYPES = frozenset({"application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml"})
# YAML takes much longer to parse than JSON.
MAX_YAML_BYTES = 1024 * 1024
# A manifest has about ten levels. The parser in C would exhaust the stack of its thread.
MAX_YAML_DEPTH = 100


class YamlRoute(OneThreadRoute):
    """A route that reads a body of a YAML media type as the JSON of the same value."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of the route's requests."""
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle

        async def handle_yaml(request: Request) -> Response:
            if is_yaml(request.headers.get("content-type", "")):
                request = await _as_json(request)
            return await handle(request)

        return handle_yaml


def is_yaml(content_type: str) -> bool:
    """Return whether a Content-Type is one of YAML."""
    return content_type.partition(";")[0].strip().lower() in MEDIA_TYPES


async def _as_json(request: Request) -> Request:
    """Return the request with its body in JSON. A caller without a valid key gets 401 first."""
    _, key = get_authorization_scheme_param(request.headers.get("authorization"))
    await run_in_threadpool(authenticate_key, request.app.state.context, key)
    text = bytearray()
    async for chunk in request.stream():
        text += chunk
        if len(text) > MAX_YAML_BYTES:
            detail = f"body: at most {MAX_YAML_BYTES} bytes of YAML are allowed; send JSON"
            raise ApiProblem(413, "TooLarge", detail, limitBytes=MAX_YAML_BYTES)
    body = await run_in_threadpool(json_of_yaml, bytes(text))
    replaced = {b"content-type": b"application/json", b"content-length": str(len(body)).encode()}
    headers = [(name, value) for name, value in request.scope["headers"] if name not in replaced]

    async def receive() -> Message:
        return {"type": "http.request", "body": body}

    return Request({**request.scope, "headers": [*headers, *replaced.items()]}, receive)


def json_of_yaml(text: bytes) -> bytes:
    """Return the JSON of a YAML document without aliases, which could repeat a value endlessly.

    Its depth is checked before the document is composed, which is recursive.

    Raises:
        ApiProblem: 422 Invalid with the place of the mistake.
    """
    try:
        # The parser in C, which every wheel of PyYAML has.
        _check_events(yaml.parse(text, Loader=yaml.CSafeLoader))
        document = yaml.load(text, Loader=yaml.CSafeLoader)
        return json.dumps(document, default=str, allow_nan=False).encode()
    except yaml.MarkedYAMLError as error:
        line = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise _invalid(f"not valid YAML: {error.problem}{line}") from None
    except (yaml.YAMLError, ValueError, TypeError) as error:
        raise _invalid(f"not valid YAML: {str(error)[:200]}") from None


def _check_events(events: Iterable[yaml.Event]) -> None:
    depth = 0
    for event in events:
        if isinstance(event, yaml.AliasEvent):
            raise _invalid("aliases (*name) are not supported; repeat the value")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_YAML_DEPTH:
            raise _invalid(f"nested deeper than {MAX_YAML_DEPTH} levels")


def _invalid(rule: str) -> ApiProblem:
    return ApiProblem(422, "Invalid", f"body: {rule}", field="body")
