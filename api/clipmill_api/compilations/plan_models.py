"""What planning a compilation works with and results in."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from clipmill.protocol import ClipState, MusicMix, OutputPolicy, Segment
from clipmill.protocol.result_record import ResultRecord
from clipmill.spec import CompilationSpec, Output, parse_duration
from clipmill.timeline.build import Timeline
from clipmill.timeline.resolved_items import UNKNOWN_LENGTH_S
from clipmill.timeline.segments import settled_segments
from clipmill_api.tables import ClipRow, MediaRow, RevisionRow


@dataclass(frozen=True, slots=True)
class ResolvedSpec:
    """A spec with its clips, the output policy, and all media files it uses by their ids."""

    spec: CompilationSpec
    clips: Sequence[ClipRow]
    media: Mapping[str, MediaRow]
    output_policy: OutputPolicy

    @property
    def is_waiting(self) -> bool:
        """Whether a clip is still to be fetched."""
        return any(clip.state == ClipState.WAITING for clip in self.clips)


@dataclass(frozen=True, slots=True)
class PlannedOutput:
    """One output of a spec with its timeline, segments and music."""

    spec: Output
    timeline: Timeline
    segments: tuple[Segment, ...]
    music: MusicMix | None
    record: ResultRecord
    notes: tuple[str, ...]
    is_draft: bool
    too_long: str | None = None

    @property
    def render_seconds(self) -> int:
        """Render time charged to the quota: the length, rounded up; 0 for a draft."""
        if self.is_draft:
            return 0
        return math.ceil(self.timeline.frames / self.timeline.profile.rate)

    @property
    def settled_segments(self) -> list[Segment]:
        """Segments that no clip still to be fetched can change."""
        if self.spec.max_bytes is not None:
            return []  # The bit rate depends on the length of all clips.
        return settled_segments(self.timeline, self.segments)


@dataclass(frozen=True, slots=True)
class CompilationPlan:
    """A resolved spec, its outputs, and the keys of segments that exist (None: not queried).

    `revision` is its row, if this transaction added it in its present state.
    """

    resolved: ResolvedSpec
    outputs: Sequence[PlannedOutput]
    existing: Collection[str] | None = None
    revision: RevisionRow | None = None

    def renderable(self) -> dict[str, Segment]:
        """Return the segments that can be rendered now, by key: all once no clip is waiting."""
        is_waiting = self.resolved.is_waiting
        return {
            segment.key: segment
            for output in self.outputs
            for segment in (output.settled_segments if is_waiting else output.segments)
        }

    @property
    def segment_keys(self) -> set[str]:
        """Keys of the segments of all outputs."""
        return {segment.key for output in self.outputs for segment in output.segments}

    @property
    def render_seconds(self) -> int:
        """Render time of all outputs together."""
        return sum(output.render_seconds for output in self.outputs)

    @property
    def estimate_note(self) -> str:
        """How clips of unknown length count in the render time; empty if there are none."""
        spec = self.resolved.spec
        count = sum(
            clip.state == ClipState.WAITING
            and not (spec.clips[clip.position].end or spec.clips[clip.position].duration)
            for clip in self.resolved.clips
        )
        if not count:
            return ""
        limit = spec.max_clip_duration
        seconds = min(UNKNOWN_LENGTH_S, float(parse_duration(limit)) if limit else math.inf)
        clips = "1 clip" if count == 1 else f"{count} clips"
        return (
            f"{clips} of unknown length count {seconds:g} s each in each output;"
            f" give end or {'a shorter ' if limit else ''}maxClipDuration"
        )
