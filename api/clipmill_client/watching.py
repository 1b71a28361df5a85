"""A compilation of an API followed to its end, and lists read page by page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from clipmill.protocol import ENDS, CompilationView
from clipmill_client.client import Client
from clipmill_client.errors import ClientError, RetryableError

PAGE = 200
LOST_TIMES = 8
"""A stream that broke so often in a row, without news between, is given up: about a minute."""
T_co = TypeVar("T_co", covariant=True)


class NothingMade(ClientError):
    """There is nothing to download: it has not ended, or has failed."""

    def __init__(self, detail: str) -> None:
        super().__init__("NothingMade", detail)


def follow(
    client: Client, compilation_id: str, tell: Callable[[CompilationView], None]
) -> CompilationView:
    """Tell of each change until the end. A stream that breaks is taken up again."""
    again = Retrying(
        retry=retry_if_exception_type(RetryableError),
        wait=wait_random_exponential(multiplier=0.5, max=10),
        stop=stop_after_attempt(LOST_TIMES),
        reraise=True,
    )
    while True:
        view = again(_until_cut, client, compilation_id, tell)
        if view.state in ENDS:
            return view


def _until_cut(
    client: Client, compilation_id: str, tell: Callable[[CompilationView], None]
) -> CompilationView:
    """What was last seen when the stream ended or broke. Raises RetryableError: nothing was."""
    view = None
    try:
        for view in client.events(compilation_id):
            tell(view)
    except RetryableError:
        if view is None:
            raise
    if view is None:
        raise RetryableError("Unreachable", f"the API told nothing of {compilation_id}")
    return view


class OnePage(Protocol[T_co]):
    """A page of a list."""

    @property
    def items(self) -> Sequence[T_co]:
        """What it holds."""

    @property
    def next(self) -> str | None:
        """The cursor of the page after."""


def paged(ask: Callable[[str | None, int], OnePage[T_co]], limit: int) -> list[T_co]:
    """The first `limit` of a list, however many pages that takes."""
    found: list[T_co] = []
    cursor: str | None = None
    while len(found) < limit:
        page = ask(cursor, min(PAGE, limit - len(found)))
        found += page.items
        cursor = page.next
        if cursor is None:
            break
    return found
