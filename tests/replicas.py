"""Two replicas of the API on one PostgreSQL and one state folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from clipmill_api.http.authentication import new_key
from harness import Clock, Harness, running


@contextmanager
def two_replicas(
    state: Path, database_url: str, *, skew_s: float = 0, **settings: Any
) -> Iterator[tuple[Harness, Harness]]:
    """Run two replicas; the clock of the second one's machine is ahead by `skew_s`."""
    keys = {"admin_key": new_key("admin"), "operator_key": new_key("operator")}
    skewed = Clock()
    skewed.advance(skew_s)
    options = {**keys, **settings}
    with (
        running(state, database_url, system_clock=Clock(), **options) as first,
        running(state, database_url, system_clock=skewed, **options) as second,
    ):
        yield first, second
