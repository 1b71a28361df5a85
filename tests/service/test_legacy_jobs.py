"""E5 to E7: processing jobs."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from legacy_world import LegacyWorld


def new_job(world: LegacyWorld, **fields: str) -> str:
    """Create a job and return its id."""
    job_id: str = world.legacy.create_processing_job(external_id="t", **fields)["job_id"]
    return job_id


def test_e5_redelivered_task_gets_its_job(legacy_world: LegacyWorld) -> None:
    """201, then 200 with the same id."""
    body = {"external_id": uuid.uuid4().hex, "job_type": "download_clip"}
    first, second = (legacy_world.request("POST", "/jobs", body) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == {"status": "created", "job_id": second.json()["job_id"]}


def test_e5_concurrent_requests_create_one_job(legacy_world: LegacyWorld) -> None:
    """Eight deliveries of one task at the same time create one row."""
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda _: new_job(legacy_world), range(8)))
    assert len(ids) == 1
    sql = "SELECT count(*) AS n FROM jobs WHERE compilation_id = :c"
    assert legacy_world.api.rows(sql, c=legacy_world.project_id) == [{"n": 1}]


def test_e6_new_job(legacy_world: LegacyWorld) -> None:
    """A new job has empty results."""
    job = legacy_world.legacy.get_processing_job(new_job(legacy_world, job_type="compile_video"))
    assert (job["progress"], job["result_data"], job["error_message"]) == (0, {}, None)
    assert (job["external_id"], job["job_type"], job["status"]) == ("t", "compile_video", "running")


def test_e7_progress_rises_and_the_end_is_final(legacy_world: LegacyWorld) -> None:
    """Progress never falls, results are merged, and an ended job accepts only repetitions."""
    calls, job_id = legacy_world.legacy, new_job(legacy_world)
    calls.update_processing_job(job_id, progress=60, result_data={"a": 1, "b": {"x": 1}})
    calls.update_processing_job(job_id, progress=30, result_data={"b": {"y": 2}})
    job = calls.get_processing_job(job_id)
    assert (job["progress"], job["result_data"]) == (60, {"a": 1, "b": {"y": 2}})
    for _ in range(2):
        calls.update_processing_job(job_id, status="failed", error_message="disk full")
    late: list[dict[str, Any]] = [
        {"status": "running"},
        {"status": "succeeded"},
        {"progress": 99},
        {"result_data": {"a": 2}},
    ]
    for body in late:
        error = legacy_world.refusal("PUT", f"/jobs/{job_id}", body)
        assert (error.status, error.code) == (409, "Ended")
    job = calls.get_processing_job(job_id)
    assert (job["status"], job["error_message"], job["progress"]) == ("failed", "disk full", 60)
    sql = "SELECT completed_at FROM jobs WHERE id = :j"
    assert legacy_world.api.rows(sql, j=job_id)[0]["completed_at"] is not None


def test_e7_concurrent_updates_are_merged(legacy_world: LegacyWorld) -> None:
    """Sixteen updates with a key each, at the same time."""
    job_id = new_job(legacy_world)

    def update(i: int) -> None:
        legacy_world.legacy.update_processing_job(job_id, progress=i, result_data={f"k{i}": i})

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(update, range(16)))
    job = legacy_world.legacy.get_processing_job(job_id)
    assert job["result_data"] == {f"k{i}": i for i in range(16)}
    assert job["progress"] == 15


def test_e7_result_data_is_bounded(legacy_world: LegacyWorld) -> None:
    """Results above the limit are refused, and the stored ones stay."""
    job_id = new_job(legacy_world)
    legacy_world.legacy.update_processing_job(job_id, result_data={"a": "x" * 40_000})
    body = {"result_data": {"b": "x" * 40_000}}
    error = legacy_world.refusal("PUT", f"/jobs/{job_id}", body)
    assert (error.status, error.facts["field"]) == (422, "result_data")
    assert list(legacy_world.legacy.get_processing_job(job_id)["result_data"]) == ["a"]
