"""The tables and columns that the import reads, and why it leaves others out.

No column with a secret is named here, so that none is ever read.
"""

from __future__ import annotations

from typing import NamedTuple


class LegacyTable(NamedTuple):
    """A table by its possible names, the columns without which it is unknown, and the others."""

    names: tuple[str, ...]
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


USERS, TIERS, MEDIA, PROJECTS, CLIPS, USAGE = (
    "users",
    "tiers",
    "media",
    "projects",
    "clips",
    "usage",
)
TABLES = {
    TIERS: LegacyTable(
        ("tiers", "tier"),
        ("id", "name"),
        (
            "storage_limit_bytes",
            "render_time_limit_seconds",
            "apply_watermark",
            "is_unlimited",
            "is_active",
            "is_default",
            "max_output_resolution",
            "max_fps",
            "max_clips_per_project",
        ),
    ),
    USERS: LegacyTable(
        ("users", "user"),
        ("id", "username"),
        ("role", "is_active", "tier_id", "watermark_disabled"),
    ),
    MEDIA: LegacyTable(
        ("media_files", "media_file", "mediafile"),
        ("id", "file_path", "media_type", "user_id"),
        ("filename", "original_filename", "file_size", "checksum", "is_public"),
    ),
    PROJECTS: LegacyTable(
        ("projects", "project"),
        ("id", "name", "user_id"),
        (
            "description",
            "tags",
            "status",
            "max_clip_duration",
            "output_resolution",
            "output_format",
            "platform_preset",
            "fps",
            "vertical_zoom",
            "vertical_align",
            "intro_media_id",
            "outro_media_id",
            "background_music_id",
            "music_volume",
            "music_start_mode",
            "music_end_mode",
            "duck_threshold",
            "duck_ratio",
            "duck_attack",
            "duck_release",
        ),
    ),
    CLIPS: LegacyTable(
        ("clips", "clip"),
        ("id", "project_id"),
        (
            "title",
            "source_url",
            "media_file_id",
            "start_time",
            "end_time",
            "order_index",
            "creator_name",
            "game_name",
        ),
    ),
    USAGE: LegacyTable(
        ("render_usage", "render_usages", "renderusage"),
        ("id", "user_id", "seconds_used", "created_at"),
        ("project_id",),
    ),
}
# By a part of the table's name; the first that matches.
REASONS = {
    "processing_job": "progress and logs of ended jobs have no use here",
    "notification": "webhooks replace them: clipmill webhooks add",
    "push": "webhooks replace them: clipmill webhooks add",
    "schedule": "write a Show with a schedule: docs/shows.md",
    "task": "write a Show: docs/shows.md",
    "team": "there are no teams; a namespace can belong to one owner",
    "tag": "media have no tags",
    "theme": "the dashboard has no themes",
    "announcement": "the dashboard has no announcements",
    "setting": "settings are those of the chart",
    "analytics": "metrics replace them",
    "activity": "events and logs replace it",
    "alembic": "the version of the predecessor's schema",
}
OTHER_REASON = "it has no counterpart here"


def reason_of(table: str) -> str:
    """Return why a table is not imported."""
    return next((reason for part, reason in REASONS.items() if part in table), OTHER_REASON)
