"""Pages by a cursor: opaque outside, (time, id) of the last row inside."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Query

from clipmill_api.http.problem_details import ApiProblem
from clipmill_api.timestamps import format_time, parse_time


def cursor(created_at: datetime, row_id: str) -> str:
    """The cursor of the page after this row."""
    return base64.urlsafe_b64encode(f"{format_time(created_at)}|{row_id}".encode()).decode()


def _read(
    cursor: Annotated[str | None, Query(max_length=200, description="`next` of a page")] = None,
) -> tuple[datetime, str] | None:
    if cursor is None:
        return None
    try:
        time, row_id = base64.urlsafe_b64decode(cursor).decode().split("|")
        created_at = parse_time(time)
        if not row_id.isprintable():
            raise ValueError("control characters")
    except (ValueError, binascii.Error):
        detail = f"cursor: {cursor[:40]!r} is none of ours; take `next` of a page"
        raise ApiProblem(422, "Invalid", detail, field="cursor") from None
    return created_at, row_id


Cursor = Annotated[tuple[datetime, str] | None, Depends(_read)]
