"""Which media files a spec refers to, and media rows as sources of a timeline."""

from __future__ import annotations

from clipmill.protocol import MediaDefect, MediaFacts, SourceMetadata
from clipmill.spec import CompilationSpec
from clipmill.timeline.build import MediaSource
from clipmill.timeline.overlay_layers import image_ids
from clipmill_api.tables import MediaRow


def asset_fields(spec: CompilationSpec) -> dict[str, str]:
    """Return the media ids of intro, outro, bumper and transition clips with their fields."""
    fields: dict[str, str] = {}
    if spec.transitions:
        for i, media_id in enumerate(spec.transitions.media_ids):
            fields.setdefault(media_id, f"spec.transitions.mediaIds[{i}]")
    if spec.intro:
        fields.setdefault(spec.intro.media_id, "spec.intro.mediaId")
    if spec.outro:
        fields.setdefault(spec.outro.media_id, "spec.outro.mediaId")
    if spec.bumper:
        fields.setdefault(spec.bumper.media_id, "spec.bumper.mediaId")
    return fields


def clip_fields(spec: CompilationSpec) -> dict[str, str]:
    """Return the media ids of clips from the library with their fields."""
    fields: dict[str, str] = {}
    for i, clip in enumerate(spec.clips):
        if clip.media_id:
            fields.setdefault(clip.media_id, f"spec.clips[{i}].mediaId")
    return fields


def referenced_media_ids(spec: CompilationSpec) -> set[str]:
    """Return the ids of all media files a spec uses apart from its clips."""
    music = [spec.music.media_id] if spec.music else []
    return {*asset_fields(spec), *image_ids(spec), *music}


def media_facts(media: MediaRow) -> MediaFacts | None:
    """Return what was probed of a media file."""
    return MediaFacts.model_validate(media.facts) if media.facts else None


def media_defect(media: MediaRow) -> MediaDefect | None:
    """Return why a media file cannot be played."""
    return MediaDefect.model_validate(media.defect) if media.defect else None


def source_metadata_of(media: MediaRow) -> SourceMetadata | None:
    """Return what the platform says of a fetched clip."""
    return SourceMetadata.model_validate(media.source) if media.source else None


def media_source(media: MediaRow, *, of_source: bool = False) -> MediaSource:
    """Return a media file as a source of a timeline.

    Args:
        media: The media file.
        of_source: Whether positions are those of the source that a clip names by its URL. Of an
            excerpt, they are otherwise those of the file.
    """
    facts = media_facts(media)
    if facts and not of_source:
        facts = facts.model_copy(update={"excerpt": None})
    return MediaSource(media.id, media.sha256, facts)
