"""Following a compilation to its end, and reading lists page by page."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from tenacity import (
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    stop_all,
    wait_random_exponential,
)

from clipmill.protocol import TERMINAL_STATES, CompilationFilter, CompilationView
from clipmill.spec.base import ID_PATTERN
from clipmill_client.api_connection import OnOutage, error_of, ignore_outage
from clipmill_client.client import Client
from clipmill_client.errors import ClientError, PermanentError, RetryableError

PAGE_SIZE = 200
# Attempts without an event between them before a stream is given up.
STREAM_ATTEMPTS = 8
LONGEST_WAIT_S = 5
T_co = TypeVar("T_co", covariant=True)


class NoOutputs(ClientError):
    """A compilation has nothing to download: it has not ended, or it failed."""

    def __init__(self, detail: str) -> None:
        super().__init__("NoOutputs", detail)


def find_compilation(client: Client, name_or_id: str) -> CompilationView:
    """Return a compilation by its id, or the newest one of a name.

    Raises:
        PermanentError: There is none; the code is NotFound.
    """
    if re.fullmatch(ID_PATTERN, name_or_id):
        try:
            return client.compilation(name_or_id)
        except PermanentError as error:
            # A name may have the form of an id.
            if error.code != "NotFound":
                raise
    page = client.compilations(limit=1, filters=CompilationFilter(name=name_or_id))
    if not page.items:
        raise PermanentError("NotFound", f"compilation {name_or_id!r} does not exist")
    return page.items[0]


def follow(
    client: Client,
    compilation_id: str,
    on_change: Callable[[CompilationView], None],
    *,
    on_outage: OnOutage = ignore_outage,
    outage_limit_s: float = 0,
) -> CompilationView:
    """Report each change of a compilation until it ends; return its last state.

    Args:
        client: Client with the owner's key.
        compilation_id: Compilation to follow.
        on_change: Called with the compilation at each change.
        on_outage: Called before each further attempt while the stream fails.
        outage_limit_s: Seconds for which a failing stream is opened again at least.

    Raises:
        RetryableError: The event stream failed eight times in a row and for `outage_limit_s`.
        PermanentError: The API refused the request.
    """
    retrying = Retrying(
        retry=retry_if_exception_type(RetryableError),
        wait=wait_random_exponential(multiplier=0.5, max=LONGEST_WAIT_S),
        stop=stop_all(stop_after_attempt(STREAM_ATTEMPTS), stop_after_delay(outage_limit_s)),
        before_sleep=lambda state: on_outage(error_of(state), state.seconds_since_start or 0),
        reraise=True,
    )
    while True:
        view = retrying(_read_stream, client, compilation_id, on_change)
        if view.state in TERMINAL_STATES:
            return view


def _read_stream(
    client: Client, compilation_id: str, on_change: Callable[[CompilationView], None]
) -> CompilationView:
    """Return the last event of a stream. Raises RetryableError if there was none."""
    view = None
    try:
        for view in client.events(compilation_id):
            on_change(view)
    except RetryableError:
        if view is None:
            raise
    if view is None:
        detail = f"the event stream of {compilation_id} ended without an event"
        raise RetryableError("Unreachable", detail)
    return view


class ListPage(Protocol[T_co]):
    """A page of a list."""

    @property
    def items(self) -> Sequence[T_co]:
        """Items of this page."""

    @property
    def next(self) -> str | None:
        """Cursor of the next page; None on the last."""


def read_pages(read: Callable[[str | None, int], ListPage[T_co]], limit: int) -> list[T_co]:
    """Return the first `limit` items of a list.

    Args:
        read: Function of a cursor and a page size that returns a page.
        limit: Number of items to return at most.
    """
    items: list[T_co] = []
    cursor: str | None = None
    while len(items) < limit:
        page = read(cursor, min(PAGE_SIZE, limit - len(items)))
        items += page.items
        cursor = page.next
        if cursor is None:
            break
    return items
