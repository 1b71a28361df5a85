"""Candidates of the owner's media library, which need no discover task."""

from __future__ import annotations

from datetime import datetime
from pathlib import PurePath

from clipmill.shows.candidates import ClipCandidate
from clipmill.shows.show_sources import LibrarySource
from clipmill.shows.show_spec import ShowSpec
from clipmill.spec.long_duration import parse_long_duration
from clipmill_api.compilations.media_sources import media_facts
from clipmill_api.database import Session
from clipmill_api.queries import media_library
from clipmill_api.shows.episode_end import media_key
from clipmill_api.tables import MediaRow


def library_candidates(
    session: Session, owner: str, spec: ShowSpec, at: datetime
) -> list[ClipCandidate]:
    """Return the candidates of all library sources, with their clip keys.

    Args:
        session: The transaction.
        owner: Owner of the library.
        spec: The show.
        at: The scheduled time, from which `uploadedWithin` counts back.
    """
    return [
        _candidate(index, media)
        for index, source in enumerate(spec.sources)
        if source.library is not None
        for media in _list_media(session, owner, source.library, at)
    ]


def _list_media(
    session: Session, owner: str, source: LibrarySource, at: datetime
) -> list[MediaRow]:
    age = parse_long_duration(source.uploaded_within) if source.uploaded_within else None
    kinds = [kind.media_kind.value for kind in source.kinds]
    since = at - age if age else None
    return media_library.list_of_kinds(session, owner, kinds, since=since, limit=source.most)


def _candidate(index: int, media: MediaRow) -> ClipCandidate:
    facts = media_facts(media)
    return ClipCandidate(
        media_id=media.id,
        clip_key=media.excerpt_of or media.clip_key or media_key(media.id),
        source=index,
        title=PurePath(media.filename).stem[:200] or None,
        duration_ms=facts.duration_us // 1000 if facts else None,
        created_at=media.created_at,
    )
