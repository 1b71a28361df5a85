"""Read the rows of the quota ledger."""

from __future__ import annotations

from harness import Harness


def render_window(api: Harness, owner: str) -> tuple[int, int]:
    """Return the (used, reserved) render seconds of an owner."""
    rows = api.rows("SELECT used_s, reserved_s FROM render_windows WHERE owner = :o", o=owner)
    return (rows[0]["used_s"], rows[0]["reserved_s"]) if rows else (0, 0)


def open_reservations(api: Harness, owner: str) -> list[int]:
    """Return the seconds of each open reservation of an owner."""
    sql = "SELECT seconds FROM reservations WHERE owner = :o AND state = 'open'"
    return [row["seconds"] for row in api.rows(sql, o=owner)]
