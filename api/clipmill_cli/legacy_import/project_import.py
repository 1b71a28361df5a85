"""Manifests of projects as files, one folder for each user. A file is never overwritten."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from clipmill.spec import CompilationSpec
from clipmill_cli.legacy_import.import_report import ImportAction, ImportItem
from clipmill_cli.legacy_import.legacy_database import Row
from clipmill_cli.legacy_import.legacy_names import distinct, one_line, slug
from clipmill_cli.legacy_import.project_manifest import ProjectManifest, project_manifest
from clipmill_cli.local.manifest_file import manifest_text

NO_FOLDER = "no --manifests FOLDER is given"
NO_CLIPS = "none of its clips can be imported"


class ProjectImport:
    """The import of all projects into a folder."""

    def __init__(self, folder: Path | None, *, dry_run: bool) -> None:
        self._folder = folder
        self._dry_run = dry_run

    def add_projects(
        self,
        user: str,
        projects: Sequence[Row],
        clips: Mapping[int, Sequence[Row]],
        media: Mapping[int, str],
    ) -> list[ImportItem]:
        """Write the manifests of a user's projects. Return an item for each and for its clips."""
        items: list[ImportItem] = []
        names: set[str] = set()
        for row in projects:
            name = distinct(slug(row["name"] or "", f"project-{row['id']}"), row["id"], names)
            names.add(name)
            manifest = project_manifest(row, clips.get(row["id"], ()), media)
            project = self._add(f"{user}/{name}.yaml", name, row, manifest)
            items += [project, *(_in_project(clip, project) for clip in manifest.clips)]
        return items

    def _add(self, file: str, name: str, row: Row, manifest: ProjectManifest) -> ImportItem:
        item = ImportItem(
            kind="project",
            legacy_id=row["id"],
            name=one_line(row["name"]),
            action=ImportAction.SKIP,
            notes=manifest.notes,
        )
        if manifest.spec is None:
            return item.model_copy(update={"reason": NO_CLIPS})
        if self._folder is None:
            return item.model_copy(update={"reason": NO_FOLDER})
        action, reason = self._write(self._folder / file, _text(name, row, manifest.spec))
        return item.model_copy(update={"action": action, "reason": reason, "target": file})

    def _write(self, path: Path, text: str) -> tuple[ImportAction, str | None]:
        if path.exists():
            is_same = path.read_text() == text
            return ImportAction.KEEP, "exists" if is_same else "exists with another content"
        if not self._dry_run:
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f".{path.name}.part")
            part.write_text(text)
            os.replace(part, path)
        return ImportAction.CREATE, None


def _in_project(clip: ImportItem, project: ImportItem) -> ImportItem:
    """Return the item of a clip, which is kept or skipped with its project."""
    if clip.action is ImportAction.SKIP or project.action is ImportAction.CREATE:
        return clip
    return clip.model_copy(update={"action": project.action, "reason": project.reason})


def _text(name: str, row: Row, spec: CompilationSpec) -> str:
    """Return the manifest with what has no field in it as comments."""
    lines = [f"# Project {row['id']} of the predecessor, status {one_line(row.get('status'))}"]
    for column in ("description", "tags"):
        if one_line(row.get(column)):
            lines.append(f"# {column}: {one_line(row[column], 1000)}")
    return "\n".join([*lines, manifest_text(name, spec)])
