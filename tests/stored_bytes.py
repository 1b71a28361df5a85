"""Compare rows with bytes: what every case of the fault suite asks at its end."""

from __future__ import annotations

import hashlib

from clipmill_api.context import Context
from harness import Harness


def assert_consistent(api: Harness) -> None:
    """No bytes are lost, and each owner's storage and render time add up."""
    assert_bytes_stored(api.ctx)
    assert_quota_adds_up(api.ctx)


def assert_bytes_stored(ctx: Context) -> None:
    """The blob of every media and segment row is there, with its SHA-256."""
    blobs = Harness.rows_of(
        ctx,
        "SELECT owner, sha256, size_bytes FROM media"
        " UNION SELECT owner, sha256, size_bytes FROM segments",
    )
    for row in blobs:
        content = b"".join(ctx.store.read(row["owner"], row["sha256"], 0, row["size_bytes"]))
        assert hashlib.sha256(content).hexdigest() == row["sha256"]


def assert_quota_adds_up(ctx: Context) -> None:
    """Used storage is that of media and unfinished uploads; render time that of usage rows."""
    for user in Harness.rows_of(ctx, "SELECT name, storage_used_bytes FROM users"):
        stored, announced = (
            _sum(ctx, sql, user["name"])
            for sql in (
                "SELECT sum(size_bytes) AS n FROM media WHERE owner = :o",
                "SELECT sum(reserved_bytes) AS n FROM uploads WHERE owner = :o AND NOT complete",
            )
        )
        assert user["storage_used_bytes"] == stored + announced, user["name"]
    usage = "SELECT compilation_id FROM render_usage GROUP BY compilation_id, generation"
    assert Harness.rows_of(ctx, f"{usage} HAVING count(*) > 1") == []
    for window in Harness.rows_of(ctx, "SELECT owner, used_s, reserved_s FROM render_windows"):
        owner = window["owner"]
        used = _sum(ctx, "SELECT sum(seconds) AS n FROM render_usage WHERE owner = :o", owner)
        reservations = "SELECT sum(seconds) AS n FROM reservations WHERE owner = :o"
        reserved = _sum(ctx, f"{reservations} AND state = 'open'", owner)
        assert (window["used_s"], window["reserved_s"]) == (used, reserved), owner


def _sum(ctx: Context, sql: str, owner: str) -> int:
    return int(Harness.rows_of(ctx, sql, o=owner)[0]["n"] or 0)
