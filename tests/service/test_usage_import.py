"""Render time of another system in a user's usage, and the administrator's list of media."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from clipmill.protocol import ImportedUsage, UsageImport
from clipmill_client import PermanentError
from harness import Harness, library_clip


def entry(identifier: str, seconds: int, created_at: datetime) -> ImportedUsage:
    """Return an entry of another system."""
    return ImportedUsage(id=identifier, seconds=seconds, created_at=created_at)


def windows(api: Harness, owner: str) -> dict[str, int]:
    """Return the used seconds of each month."""
    rows = api.rows("SELECT month, used_s FROM render_windows WHERE owner = :o", o=owner)
    return {row["month"]: row["used_s"] for row in rows}


def test_usage_counts_in_the_month_of_its_creation(api: Harness) -> None:
    """Each entry once, in the quota of this month and in that of an earlier one."""
    owner, user = api.user(render_limit_seconds=100)
    now = api.ctx.now()
    request = UsageImport(
        entries=[
            entry(f"l-{owner}1", 70, now),
            entry(f"l-{owner}2", 5, now),
            entry(f"l-{owner}3", 9, datetime(2025, 3, 31, 23, 59, 59, tzinfo=UTC)),
        ]
    )
    dry = request.model_copy(update={"dry_run": True})
    replies = [api.admin.import_usage(owner, each) for each in (dry, request, request, dry)]
    assert [(reply.created, reply.existing) for reply in replies] == [
        (3, 0),
        (3, 0),
        (0, 3),
        (0, 3),
    ]
    assert windows(api, owner) == {f"{now:%Y-%m}": 75, "2025-03": 9}
    assert user.account().render_used_seconds == 75
    assert sorted(usage.seconds for usage in user.usage()) == [5, 9, 70]
    assert {usage.generation for usage in user.usage()} == {0}


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_times_of_no_month_are_refused(api: Harness, time: str) -> None:
    """They have no month in UTC that the quota could count."""
    owner, _ = api.user()
    body = {"entries": [{"id": "l-0000", "seconds": 1, "createdAt": time}]}
    with pytest.raises(PermanentError) as error:
        api.client(api.settings.admin_key).connection.request(
            "POST", f"/api/admin/users/{owner}/usage", json=body
        )
    assert error.value.status == 422
    assert windows(api, owner) == {}


def test_usage_of_nobody_is_refused(api: Harness) -> None:
    """No row is written."""
    with pytest.raises(PermanentError) as error:
        api.admin.import_usage("nobody-here", UsageImport(entries=[]))
    assert (error.value.status, error.value.code) == (404, "NotFound")


def test_the_administrator_lists_media(api: Harness, two_seconds: Path) -> None:
    """As the user does, page by page; nothing of others."""
    owner, user = api.user()
    media = library_clip(user, two_seconds)
    other, _ = api.user()
    page = api.admin.media(owner, limit=1)
    assert [(item.id, item.sha256) for item in page.items] == [(media.id, media.sha256)]
    assert page.next is None
    assert api.admin.media(other).items == []
