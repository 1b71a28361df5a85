"""Which part of its source a clip plays, before anything of the source is known."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from clipmill.spec.base import parse_duration
from clipmill.spec.compilation import CompilationSpec
from clipmill.spec.output import PreviewExtent

# Length of each clip in a draft of the first seconds.
PREVIEW_S = 4


class SourceSpan(NamedTuple):
    """A part of a source in seconds from its start."""

    start_s: Fraction
    end_s: Fraction


def played_part(spec: CompilationSpec, position: int) -> SourceSpan | None:
    """Return what a clip plays of its source; None where it plays on to the source's end."""
    clip = spec.clips[position]
    start_s = parse_duration(clip.start) if clip.start else Fraction(0)
    ends_s = []
    if spec.preview is PreviewExtent.FIRST_SECONDS:
        ends_s.append(start_s + PREVIEW_S)
    if clip.end:
        ends_s.append(parse_duration(clip.end))
    elif length := clip.duration or spec.max_clip_duration:
        ends_s.append(start_s + parse_duration(length))
    return SourceSpan(start_s, min(ends_s)) if ends_s else None
