"""Export the timeline of an output as OpenTimelineIO, for editing programs.

Items are on one video track with crossfades as transitions, music is on an audio track, chapters
are markers. What OpenTimelineIO cannot express is kept in the metadata under `clipmill`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

import opentimelineio as otio

from clipmill.artifacts.chapters import build_chapters
from clipmill.protocol import Profile, TimelineItem
from clipmill.protocol.result_record import MusicTrack, PlayedItem, ResultRecord

METADATA_KEY = "clipmill"
# URL scheme of a media id, since a file of the library has no other URL.
MEDIA_SCHEME = "clipmill:"


def export_otio(record: ResultRecord, items: Sequence[TimelineItem], profile: Profile) -> str:
    """Return the timeline as OTIO JSON."""
    timeline = otio.schema.Timeline(record.title or "Compilation")
    timeline.metadata[METADATA_KEY] = {
        "width": profile.width,
        "height": profile.height,
        "rate": profile.rate,
    }
    timeline.tracks.append(_video_track(record, items))
    if record.music:
        timeline.tracks.append(_audio_track(record.music, record.rate))
    timeline.tracks.markers.extend(_markers(record))
    text: str = otio.adapters.write_to_string(timeline, "otio_json")
    return text


def _video_track(record: ResultRecord, items: Sequence[TimelineItem]) -> Any:
    """Return the track. Editing programs expect the cut in the middle of each crossfade."""
    track = otio.schema.Track("V1", kind=otio.schema.TrackKind.Video)
    for played, item, following in zip_longest(record.items, items, items[1:]):
        head = item.overlap - item.overlap // 2
        tail = following.overlap // 2 if following else 0
        if item.overlap:
            track.append(_transition(item, record.rate))
        track.append(_clip(played, head, tail, record.rate))
    return track


def _transition(item: TimelineItem, rate: int) -> Any:
    after_cut = item.overlap // 2
    return otio.schema.Transition(
        name=item.transition.value,
        transition_type=otio.schema.TransitionTypes.SMPTE_Dissolve,
        in_offset=_time(item.overlap - after_cut, rate),
        out_offset=_time(after_cut, rate),
        metadata={METADATA_KEY: {"type": item.transition.value, "curve": item.curve.value}},
    )


def _clip(item: PlayedItem, head: int, tail: int, rate: int) -> Any:
    metadata = {
        "kind": item.kind,
        "name": item.name,
        "creator": item.creator,
        "game": item.game,
        "frames": item.frames,
    }
    return otio.schema.Clip(
        name=item.title or item.name,
        media_reference=_media_reference(item.media_id, item.sha256, item.url),
        source_range=_time_range(item.start + head, item.frames - head - tail, rate),
        metadata=_metadata(metadata),
    )


def _media_reference(media_id: str | None, sha256: str, url: str | None) -> Any:
    if media_id is None:
        return otio.schema.MissingReference(name="placeholder")
    return otio.schema.ExternalReference(
        target_url=url or f"{MEDIA_SCHEME}{media_id}",
        metadata={METADATA_KEY: {"mediaId": media_id, "sha256": sha256}},
    )


def _metadata(values: dict[str, Any]) -> dict[str, Any]:
    return {METADATA_KEY: {name: value for name, value in values.items() if value}}


def _audio_track(music: MusicTrack, rate: int) -> Any:
    track = otio.schema.Track("Music", kind=otio.schema.TrackKind.Audio)
    if music.at:
        track.append(otio.schema.Gap(duration=_time(music.at, rate)))
    metadata = {
        "kind": "music",
        "artist": music.artist,
        "license": music.license,
        "url": music.url,
        "settings": music.settings,
    }
    clip = otio.schema.Clip(
        name=music.title or music.media_id,
        media_reference=_media_reference(music.media_id, music.sha256, None),
        source_range=_time_range(0, music.frames, rate),
        metadata=_metadata(metadata),
    )
    track.append(clip)
    return track


def _markers(record: ResultRecord) -> list[Any]:
    return [
        otio.schema.Marker(
            name=chapter.title, marked_range=_time_range(chapter.at, chapter.frames, record.rate)
        )
        for chapter in build_chapters(record)
    ]


def _time(frames: int, rate: int) -> Any:
    return otio.opentime.RationalTime(frames, rate)


def _time_range(start: int, frames: int, rate: int) -> Any:
    return otio.opentime.TimeRange(_time(start, rate), _time(frames, rate))
