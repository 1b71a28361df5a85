"""What a result is made of, drawn from rows: the record behind chapters, credits and manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clipmill.protocol import MediaFacts, MusicMix, TimelineItem
from clipmill.protocol.result_record import PlayedItem, ResultRecord, MusicTrack
from clipmill.spec import AUDIO_RATE, CompilationSpec
from clipmill.spec.soundtrack import Music, MusicCredit
from clipmill.timeline.build import Timeline
from clipmill_api.tables import ClipRow, MediaRow


def record(
    spec: CompilationSpec,
    clips: Sequence[ClipRow],
    media: Mapping[str, MediaRow],
    line: Timeline,
    music: MusicMix | None,
) -> ResultRecord:
    """The record of one output."""
    by_name = {clip.name: clip for clip in clips}
    played = []
    for entry, cut in zip(line.items, line.sources, strict=True):
        shot = _shot(entry, cut.sha256)
        clip = by_name.get(entry.name) if entry.kind == "clip" else None
        played.append(shot if clip is None else _of_clip(shot, spec, clip))
    rate = line.profile.rate
    track = _track(spec, media, music, rate) if music else None
    return ResultRecord(title=spec.title, rate=rate, frames=line.frames, items=played, music=track)


def _shot(entry: TimelineItem, sha256: str) -> PlayedItem:
    return PlayedItem(
        kind=entry.kind,
        name=entry.name,
        media_id=entry.media_id,
        sha256=sha256,
        at=entry.at,
        start=entry.start,
        frames=entry.frames,
    )


def _of_clip(shot: PlayedItem, spec: CompilationSpec, clip: ClipRow) -> PlayedItem:
    wish = spec.clips[clip.position]
    credit = wish.credit
    about = {
        "title": wish.title,
        "url": wish.url,
        "creator": credit.creator if credit else None,
        "game": credit.game if credit else None,
    }
    return shot.model_copy(update=about)


def _track(
    spec: CompilationSpec, media: Mapping[str, MediaRow], order: MusicMix, rate: int
) -> MusicTrack:
    """The music: what the spec says of its maker, else what the file's tags say."""
    row = media.get(order.media_id)
    tags = MediaFacts.model_validate(row.facts) if row and row.facts else None
    said = (spec.music and spec.music.credit) or MusicCredit()
    each = AUDIO_RATE // rate
    at, end = order.start // each, -(-order.end // each)
    return MusicTrack(
        media_id=order.media_id,
        sha256=order.sha256,
        title=said.title or (tags and tags.title),
        artist=said.artist or (tags and tags.artist),
        license=said.license or (tags and tags.license),
        url=said.url,
        at=at,
        frames=end - at,
        settings=_wish(spec.music) if spec.music else {},
    )


def _wish(music: Music) -> dict[str, Any]:
    apart = {"media_id", "credit"}
    return music.model_dump(mode="json", by_alias=True, exclude=apart, exclude_defaults=True)
