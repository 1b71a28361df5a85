"""Record what an output plays: the source of its chapters, credits and manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clipmill.protocol import MusicMix, TimelineItem
from clipmill.protocol.result_record import MusicTrack, PlayedItem, ResultRecord
from clipmill.spec import AUDIO_RATE, CompilationSpec
from clipmill.spec.soundtrack import Music, MusicCredit
from clipmill.timeline.build import Timeline
from clipmill_api.compilations.media_sources import media_facts
from clipmill_api.tables import ClipRow, MediaRow


def build_result_record(
    spec: CompilationSpec,
    clips: Sequence[ClipRow],
    media: Mapping[str, MediaRow],
    timeline: Timeline,
    music: MusicMix | None,
) -> ResultRecord:
    """Return the record of one output."""
    clips_by_name = {clip.name: clip for clip in clips}
    played = []
    for item, source in zip(timeline.items, timeline.sources, strict=True):
        clip = clips_by_name.get(item.name) if item.kind == "clip" else None
        details = _clip_details(spec, clip) if clip else {}
        played.append(_played_item(item, source.sha256, details))
    rate = timeline.profile.rate
    return ResultRecord(
        title=spec.title,
        rate=rate,
        frames=timeline.frames,
        items=played,
        music=_music_track(spec, media.get(music.media_id), music, rate) if music else None,
    )


def _played_item(item: TimelineItem, sha256: str, details: dict[str, str | None]) -> PlayedItem:
    return PlayedItem(
        kind=item.kind,
        name=item.name,
        media_id=item.media_id,
        sha256=sha256,
        at=item.at,
        start=item.start,
        frames=item.frames,
        **details,
    )


def _clip_details(spec: CompilationSpec, clip: ClipRow) -> dict[str, str | None]:
    clip_spec = spec.clips[clip.position]
    credit = clip_spec.credit
    return {
        "title": clip_spec.title,
        "url": clip_spec.url,
        "creator": credit.creator if credit else None,
        "game": credit.game if credit else None,
    }


def _music_track(
    spec: CompilationSpec, media: MediaRow | None, mix: MusicMix, rate: int
) -> MusicTrack:
    """Return the music with the credit of the spec, completed by the file's tags."""
    tags = media_facts(media) if media else None
    credit = (spec.music and spec.music.credit) or MusicCredit()
    samples_per_frame = AUDIO_RATE // rate
    at, end = mix.start // samples_per_frame, -(-mix.end // samples_per_frame)
    return MusicTrack(
        media_id=mix.media_id,
        sha256=mix.sha256,
        title=credit.title or (tags and tags.title),
        artist=credit.artist or (tags and tags.artist),
        license=credit.license or (tags and tags.license),
        url=credit.url,
        at=at,
        frames=end - at,
        settings=_music_settings(spec.music) if spec.music else {},
    )


def _music_settings(music: Music) -> dict[str, Any]:
    described_elsewhere = {"media_id", "credit"}
    return music.model_dump(
        mode="json", by_alias=True, exclude=described_elsewhere, exclude_defaults=True
    )
