"""Pages by cursor: opaque text that holds the time and the id of a page's last row."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Query

from clipmill_api.http.problem_details import ApiProblem
from clipmill_api.timestamps import format_time, parse_time

RowPosition = tuple[datetime, str]


def encode_cursor(created_at: datetime, row_id: str) -> str:
    """Return the cursor of the page that follows a row."""
    return base64.urlsafe_b64encode(f"{format_time(created_at)}|{row_id}".encode()).decode()


def _decode_cursor(
    cursor: Annotated[
        str | None, Query(max_length=200, description="The `next` field of a page.")
    ] = None,
) -> RowPosition | None:
    """Return time and id of the row after which a page starts. Raises 422."""
    if cursor is None:
        return None
    try:
        time, row_id = base64.urlsafe_b64decode(cursor).decode().split("|")
        created_at = parse_time(time)
        if not row_id.isprintable():
            raise ValueError("control characters")
    except (ValueError, binascii.Error):
        detail = f"cursor: {cursor[:40]!r} is not the `next` field of a page"
        raise ApiProblem(422, "Invalid", detail, field="cursor") from None
    return created_at, row_id


Cursor = Annotated[RowPosition | None, Depends(_decode_cursor)]
