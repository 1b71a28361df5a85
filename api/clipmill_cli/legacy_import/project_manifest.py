"""The manifest of a project of the predecessor. It decides; it reads and writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import ValidationError

from clipmill.spec import MAX_CLIPS, Clip, CompilationSpec
from clipmill_cli.legacy_import.import_report import ImportAction, ImportItem
from clipmill_cli.legacy_import.legacy_database import Row
from clipmill_cli.legacy_import.legacy_names import one_line
from clipmill_cli.legacy_import.project_output import music_document, output_document

MAX_CREDIT_CHARS = 100
ASSETS = {"intro": "intro_media_id", "outro": "outro_media_id"}


class ProjectManifest(NamedTuple):
    """The spec of a project, None if no clip is left, with what is not the same as there."""

    spec: CompilationSpec | None
    notes: list[str]
    clips: list[ImportItem]


def project_manifest(row: Row, clips: Sequence[Row], media: Mapping[int, str]) -> ProjectManifest:
    """Return the manifest of a project.

    Args:
        row: The project.
        clips: Its clips.
        media: Media ids here of the files in the owner's library, by their ids there.
    """
    notes: list[str] = []
    documents, items = _clips(row, clips, media)
    if not documents:
        return ProjectManifest(None, notes, items)
    spec: dict[str, Any] = {"clips": documents}
    if one_line(row["name"]):
        spec["title"] = one_line(row["name"])
    if (row.get("max_clip_duration") or 0) > 0:
        spec["maxClipDuration"] = f"{row['max_clip_duration']}s"
    spec |= _assets(row, media, notes)
    spec["outputs"] = [output_document(row, notes)]
    try:
        return ProjectManifest(CompilationSpec.model_validate(spec), notes, items)
    except ValidationError as error:
        notes.append(_rule(error))
        return ProjectManifest(None, notes, items)


def _rule(error: ValidationError) -> str:
    """Return the first rule that a document breaks, and where."""
    fault = error.errors(include_url=False)[0]
    return one_line(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}")


def _clips(
    project: Row, rows: Sequence[Row], media: Mapping[int, str]
) -> tuple[list[dict[str, Any]], list[ImportItem]]:
    """Return the documents of at most MAX_CLIPS clips in their order, and an item for each."""
    documents: list[dict[str, Any]] = []
    items: list[ImportItem] = []
    for row in sorted(rows, key=lambda clip: (clip.get("order_index") or 0, clip["id"])):
        document, item = _clip(project, row, media)
        if document and len(documents) == MAX_CLIPS:
            reason = f"a compilation has at most {MAX_CLIPS} clips"
            item = item.model_copy(update={"action": ImportAction.SKIP, "reason": reason})
        elif document:
            documents.append(document)
        items.append(item)
    return documents, items


def _assets(row: Row, media: Mapping[int, str], notes: list[str]) -> dict[str, Any]:
    """Return intro, outro and music, as far as their files are imported."""
    assets: dict[str, Any] = {}
    for field, column in {**ASSETS, "music": "background_music_id"}.items():
        media_id = row.get(column)
        if media_id is None:
            continue
        if media_id not in media:
            notes.append(f"the {field}, media {media_id}, is left out: it is not imported")
        elif field == "music":
            music = music_document(row, media[media_id], notes)
            assets |= {"music": music} if music else {}
        else:
            assets[field] = {"mediaId": media[media_id]}
    return assets


def _clip(
    project: Row, row: Row, media: Mapping[int, str]
) -> tuple[dict[str, Any] | None, ImportItem]:
    """Return the document of a clip, None if it has neither file nor URL, and its item."""
    notes: list[str] = []
    item = ImportItem(
        kind="clip",
        legacy_id=row["id"],
        name=one_line(f"{project['name']}: {row.get('title') or row.get('source_url') or ''}"),
        action=ImportAction.SKIP,
    )
    source = _source(row, media, notes)
    if source is None:
        reason = "it has neither an imported file nor a URL"
        return None, item.model_copy(update={"reason": reason, "notes": notes})
    document = {**source, **_range(row, notes), **_texts(row)}
    try:
        Clip.model_validate(document)
    except ValidationError as error:
        return None, item.model_copy(update={"reason": _rule(error), "notes": notes})
    return document, item.model_copy(update={"action": ImportAction.CREATE, "notes": notes})


def _source(row: Row, media: Mapping[int, str], notes: list[str]) -> dict[str, str] | None:
    media_id, url = row.get("media_file_id"), (row.get("source_url") or "").strip()
    if media_id is not None and media_id in media:
        return {"mediaId": media[media_id]}
    is_fetched = url.startswith(("https://", "http://"))
    if media_id is not None and is_fetched:
        notes.append(f"media {media_id} is not imported; the clip is fetched from its URL")
    return {"url": url} if is_fetched else None


def _range(row: Row, notes: list[str]) -> dict[str, str]:
    """Return the trim as it was applied there: only with both ends."""
    start, end = row.get("start_time"), row.get("end_time")
    if end is None:
        if start:
            notes.append(f"start_time {start} had no effect without an end, and is left out")
        return {}
    if start is None or not 0 <= start < end:
        notes.append(f"the trim from {start} to {end} is left out")
        return {}
    return {"start": _seconds(start), "end": _seconds(end)}


def _seconds(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".") + "s"


def _texts(row: Row) -> dict[str, Any]:
    title = one_line(row.get("title"))
    credit = {
        field: one_line(row.get(column), MAX_CREDIT_CHARS)
        for field, column in (("creator", "creator_name"), ("game", "game_name"))
    }
    shown = {field: text for field, text in credit.items() if text}
    return {**({"title": title} if title else {}), **({"credit": shown} if shown else {})}
