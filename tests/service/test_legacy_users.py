"""E10 to E12: quota, limits and usage of a user."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clipmill.protocol import Stage
from clipmill_client import PermanentError
from harness import Harness
from legacy_world import LegacyOwner, LegacyWorld, register
from pods import assemble, fetch, url

LIMITS: list[tuple[int | None, int | None]] = [(None, None), (0, 0), (100, 100)]


@pytest.mark.parametrize(("limit", "remaining"), LIMITS)
def test_e10_null_is_no_limit_and_0_is_no_room(
    api: Harness, limit: int | None, remaining: int | None
) -> None:
    """The guide conflated null and 0."""
    name, _ = api.user(storage_limit_bytes=limit)
    uid, _ = api.register(name, {"clips": [{"url": url()}]})
    quota = api.job(uid, Stage.FETCH).legacy.get_user_quota(name)
    assert quota == {"total_bytes": limit, "remaining_bytes": remaining, "used_bytes": 0}


@pytest.mark.parametrize("limit", [None, 500])
def test_e11_tier_limits(api: Harness, limit: int | None) -> None:
    """The limits of the tier, and null for none."""
    name, _ = api.user(storage_limit_bytes=limit, render_limit_seconds=limit)
    uid, _ = api.register(name, {"clips": [{"url": url()}]})
    assert api.job(uid, Stage.FETCH).legacy.get_user_tier_limits(name) == {
        "tier": name,
        "storage_limit_bytes": limit,
        "render_time_limit_seconds": limit,
        "apply_watermark": False,
        "is_unlimited": limit is None,
    }


def test_e12_one_usage_row(legacy_owner: LegacyOwner, two_seconds: Path) -> None:
    """Eight concurrent reports and then the end: one usage row, with the timeline's seconds."""
    spec = {"clips": [{"mediaId": legacy_owner.media_id}]}
    job, project_id = register(legacy_owner, spec, Stage.ASSEMBLE)

    def record(_: int) -> tuple[str, int]:
        reply = job.legacy.record_render_usage(
            legacy_owner.name, project_id=project_id, seconds=9999
        )
        return reply["status"], reply["seconds"]

    with ThreadPoolExecutor(8) as pool:
        replies = sorted(pool.map(record, range(8)))
    assert replies == [("existing", 2)] * 7 + [("recorded", 2)]
    assemble(job, two_seconds)
    assert record(0) == ("existing", 2)
    sql = "SELECT seconds FROM render_usage WHERE compilation_id = :c"
    assert legacy_owner.api.rows(sql, c=project_id) == [{"seconds": 2}]
    sql = "SELECT state, seconds FROM reservations WHERE compilation_id = :c"
    assert legacy_owner.api.rows(sql, c=project_id) == [{"state": "settled", "seconds": 2}]


def test_e12_nothing_for_a_generation_without_a_result(legacy_world: LegacyWorld) -> None:
    """A cancelled compilation has used nothing, whatever its worker reports."""
    legacy_world.owner.user.cancel(legacy_world.project_id)
    body = {"project_id": legacy_world.project_id, "seconds": 5}
    path = f"/users/{legacy_world.owner.name}/record-render"
    error = legacy_world.refusal("POST", path, body)
    assert (error.status, error.code) == (409, "Ended")


def test_e12_waits_for_exact_lengths(api: Harness) -> None:
    """While clips are fetched nothing is settled, with a key of any stage."""
    name, user = api.user(render_limit_seconds=10**6)
    uid, plan = api.register(name, {"clips": [{"url": url()}], "maxClipDuration": "1s"})
    project_id = str(plan.compilation_id)
    reserved_s = user.account().render_reserved_seconds
    assert reserved_s == 1
    for stage in Stage:
        with pytest.raises(PermanentError) as early:
            api.job(uid, stage).legacy.record_render_usage(name, project_id=project_id, seconds=1)
        assert (early.value.status, early.value.code) == (409, "NotReady")
    assert user.usage() == []
    assert user.account().render_reserved_seconds == reserved_s


def test_e12_charges_the_exact_length(api: Harness, two_seconds: Path) -> None:
    """A clip of 2 s that was estimated as 60 s takes 2 s."""
    name, user = api.user(render_limit_seconds=100)
    uid, plan = api.register(name, {"clips": [{"url": url()}]})
    fetch(api.job(uid, Stage.FETCH), 0, two_seconds)
    job = api.job(uid, Stage.ASSEMBLE)
    reply = job.legacy.record_render_usage(name, project_id=str(plan.compilation_id), seconds=1)
    assert reply == {"status": "recorded", "seconds": 2}
    assert (user.account().render_used_seconds, user.account().render_reserved_seconds) == (2, 0)
