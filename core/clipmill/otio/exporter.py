"""The timeline of an output as OpenTimelineIO, for editing programs.

One video track of all shots, crossfades as transitions, the music on an audio track, chapters as
markers. What OpenTimelineIO has no words for is kept under the metadata `clipmill`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

import opentimelineio as otio

from clipmill.artifacts.chapters import build_chapters
from clipmill.protocol import Profile, TimelineItem
from clipmill.protocol.result_record import MusicTrack, PlayedItem, ResultRecord

KEY = "clipmill"
"""Our part of the metadata."""
MEDIA = "clipmill:"
"""Scheme of a media id as an address: a file of the library has no other."""


def export_otio(record: ResultRecord, entries: Sequence[TimelineItem], form: Profile) -> str:
    """The timeline as OTIO JSON."""
    line = otio.schema.Timeline(record.title or "Compilation")
    line.metadata[KEY] = {"width": form.width, "height": form.height, "rate": form.rate}
    line.tracks.append(_video(record, entries))
    if record.music:
        line.tracks.append(_music(record.music, record.rate))
    line.tracks.markers.extend(_markers(record))
    text: str = otio.adapters.write_to_string(line, "otio_json")
    return text


def _video(record: ResultRecord, entries: Sequence[TimelineItem]) -> Any:
    """Each crossfade is cut in its middle, as editing programs do: half of it before the cut."""
    track = otio.schema.Track("V1", kind=otio.schema.TrackKind.Video)
    for shot, entry, after in zip_longest(record.items, entries, entries[1:]):
        overlap_after = after.overlap if after else 0
        head, tail = entry.overlap - entry.overlap // 2, overlap_after // 2
        if entry.overlap:
            track.append(_transition(entry, record.rate))
        track.append(_clip(shot, head, tail, record.rate))
    return track


def _transition(entry: TimelineItem, rate: int) -> Any:
    out = entry.overlap // 2
    return otio.schema.Transition(
        name=entry.transition.value,
        transition_type=otio.schema.TransitionTypes.SMPTE_Dissolve,
        in_offset=_time(entry.overlap - out, rate),
        out_offset=_time(out, rate),
        metadata={KEY: {"type": entry.transition.value, "curve": entry.curve.value}},
    )


def _clip(shot: PlayedItem, head: int, tail: int, rate: int) -> Any:
    about = {
        "kind": shot.kind,
        "name": shot.name,
        "creator": shot.creator,
        "game": shot.game,
        "frames": shot.frames,
    }
    return otio.schema.Clip(
        name=shot.title or shot.name,
        media_reference=_media(shot.media_id, shot.sha256, shot.url),
        source_range=_range(shot.start + head, shot.frames - head - tail, rate),
        metadata={KEY: {name: value for name, value in about.items() if value}},
    )


def _media(media_id: str | None, sha256: str, url: str | None) -> Any:
    if media_id is None:
        return otio.schema.MissingReference(name="placeholder")
    about = {KEY: {"mediaId": media_id, "sha256": sha256}}
    return otio.schema.ExternalReference(target_url=url or f"{MEDIA}{media_id}", metadata=about)


def _music(track: MusicTrack, rate: int) -> Any:
    found = otio.schema.Track("Music", kind=otio.schema.TrackKind.Audio)
    if track.at:
        found.append(otio.schema.Gap(duration=_time(track.at, rate)))
    about = {
        "kind": "music",
        "artist": track.artist,
        "license": track.license,
        "url": track.url,
        "settings": track.settings,
    }
    clip = otio.schema.Clip(
        name=track.title or track.media_id,
        media_reference=_media(track.media_id, track.sha256, None),
        source_range=_range(0, track.frames, rate),
        metadata={KEY: {name: value for name, value in about.items() if value}},
    )
    found.append(clip)
    return found


def _markers(record: ResultRecord) -> list[Any]:
    return [
        otio.schema.Marker(name=one.title, marked_range=_range(one.at, one.frames, record.rate))
        for one in build_chapters(record)
    ]


def _time(frames: int, rate: int) -> Any:
    return otio.opentime.RationalTime(frames, rate)


def _range(start: int, frames: int, rate: int) -> Any:
    return otio.opentime.TimeRange(_time(start, rate), _time(frames, rate))
