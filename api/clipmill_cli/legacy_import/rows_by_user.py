"""The rows of each user, and those of nobody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from clipmill_cli.legacy_import.import_report import ImportAction, ImportItem
from clipmill_cli.legacy_import.legacy_database import LegacyData, Row
from clipmill_cli.legacy_import.legacy_names import one_line
from clipmill_cli.legacy_import.legacy_schema import CLIPS, MEDIA, PROJECTS, USAGE

PROJECT_MEDIA = ("intro_media_id", "outro_media_id", "background_music_id")
OWNED = {MEDIA: ("media", "file_path"), PROJECTS: ("project", "name"), USAGE: ("usage", "id")}


class UserRows(NamedTuple):
    """The rows of a user. `media` has the public files too that the projects play."""

    media: list[Row]
    projects: list[Row]
    usage: list[Row]


class RowsByUser:
    """All rows, grouped once."""

    def __init__(self, data: LegacyData) -> None:
        self.clips = _by(data.rows[CLIPS], "project_id")
        self._groups = {table: _by(data.rows[table], "user_id") for table in OWNED}
        self._public = {row["id"]: row for row in data.rows[MEDIA] if row.get("is_public") is True}

    def user(self, user_id: int) -> UserRows:
        """Return the rows of a user."""
        media, projects, usage = (self._groups[table].get(user_id, []) for table in OWNED)
        own = {row["id"] for row in media}
        played = [self._public[key] for key in self._played(projects) if key not in own]
        return UserRows([*media, *played], projects, usage)

    def _played(self, projects: Sequence[Row]) -> list[int]:
        """Return the ids of public files that projects play."""
        played = {project.get(column) for project in projects for column in PROJECT_MEDIA}
        for project in projects:
            played |= {clip.get("media_file_id") for clip in self.clips.get(project["id"], ())}
        return [key for key in self._public if key in played]


def ownerless_items(data: LegacyData, names: Mapping[int, str]) -> list[ImportItem]:
    """Return an item for each row whose user or project does not exist."""
    lost = [
        (kind, row, row.get(column), f"user {row['user_id']} does not exist")
        for table, (kind, column) in OWNED.items()
        for row in data.rows[table]
        if row["user_id"] not in names
    ]
    projects = {row["id"] for row in data.rows[PROJECTS] if row["user_id"] in names}
    lost += [
        ("clip", row, row.get("title"), f"project {row['project_id']} is not imported")
        for row in data.rows[CLIPS]
        if row["project_id"] not in projects
    ]
    return [
        ImportItem(
            kind=kind,
            legacy_id=row["id"],
            name=one_line(name),
            action=ImportAction.SKIP,
            reason=reason,
        )
        for kind, row, name, reason in lost
    ]


def _by(rows: Iterable[Row], column: str) -> dict[int, list[Row]]:
    groups: dict[int, list[Row]] = {}
    for row in rows:
        groups.setdefault(row[column], []).append(row)
    return groups
