"""The fifteen endpoints of the migration guide, by the function names that it gives them.

In: the request's JSON fields as keyword arguments. Out: the response's JSON object as a dict,
with the fields that docs/migration.md lists.
"""

from __future__ import annotations

from typing import Any

from clipmill_client.api_connection import ApiConnection

ROOT = "/api/worker"
JsonObject = dict[str, Any]


class LegacyWorkerCalls:
    """Calls of a predecessor's worker. The key decides whose rows they reach.

    Every method raises PermanentError with status 404 for an id of another compilation or owner.
    """

    def __init__(self, connection: ApiConnection) -> None:
        self._connection = connection

    def _call(self, method: str, path: str, fields: JsonObject | None = None) -> JsonObject:
        options = {} if fields is None else {"json": fields}
        return self._connection.request_as(JsonObject, method, f"{ROOT}{path}", **options)

    def get_clip_metadata(self, clip_id: str) -> JsonObject:
        """E1: return what a download needs to know of a clip."""
        return self._call("GET", f"/clips/{clip_id}")

    def update_clip_status(self, clip_id: str, **fields: Any) -> JsonObject:
        """E2: report a clip's media (`media_file_id`, `duration`) or its `error`."""
        return self._call("POST", f"/clips/{clip_id}/status", fields)

    def get_media_metadata(self, media_id: str) -> JsonObject:
        """E3: return a media file's name, type and duration in seconds."""
        return self._call("GET", f"/media/{media_id}")

    def create_media_file(self, **fields: Any) -> JsonObject:
        """E4: create a media row for uploaded bytes (`filename`, `media_type`, `sha256`)."""
        return self._call("POST", "/media", fields)

    def create_processing_job(self, **fields: Any) -> JsonObject:
        """E5: get or create a job by `external_id`."""
        return self._call("POST", "/jobs", fields)

    def get_processing_job(self, job_id: str) -> JsonObject:
        """E6: return a job."""
        return self._call("GET", f"/jobs/{job_id}")

    def update_processing_job(self, job_id: str, **fields: Any) -> JsonObject:
        """E7: update `status`, `progress` (0 to 100), `result_data` or `error_message`."""
        return self._call("PUT", f"/jobs/{job_id}", fields)

    def get_project_metadata(self, project_id: str) -> JsonObject:
        """E8: return a project's settings, outputs and clips."""
        return self._call("GET", f"/projects/{project_id}")

    def update_project_status(self, project_id: str, **fields: Any) -> JsonObject:
        """E9: report `status`, and `error` if it failed."""
        return self._call("PUT", f"/projects/{project_id}/status", fields)

    def get_user_quota(self, user_id: str) -> JsonObject:
        """E10: return used, remaining and total storage in bytes."""
        return self._call("GET", f"/users/{user_id}/quota")

    def get_user_tier_limits(self, user_id: str) -> JsonObject:
        """E11: return the limits of the user's tier."""
        return self._call("GET", f"/users/{user_id}/tier-limits")

    def record_render_usage(self, user_id: str, **fields: Any) -> JsonObject:
        """E12: record the render time of `project_id`, once for each generation."""
        return self._call("POST", f"/users/{user_id}/record-render", fields)

    def find_reusable_media(self, source_url: str) -> JsonObject:
        """E13: find media of the same clip by its clip key."""
        return self._call("POST", "/media/find-reusable", {"source_url": source_url})

    def get_compilation_context(self, project_id: str) -> JsonObject:
        """E14: return everything that a render of the project needs."""
        return self._call("GET", f"/projects/{project_id}/compilation-context")

    def get_media_batch(self, media_ids: list[str]) -> JsonObject:
        """E15: return up to 500 media files in the order of the ids, and the missing ids."""
        return self._call("POST", "/media/batch", {"media_ids": media_ids})
