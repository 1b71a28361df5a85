"""Describe what an item plays of its source: a range with sound, layers, colours and framing."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from clipmill.protocol import Framing, MediaFacts, PictureTraits, SourceRange
from clipmill.spec import Clip, Output
from clipmill.timeline.item_sound import PlayedPart, item_sound
from clipmill.timeline.overlay_layers import layers_of_subrange
from clipmill.timeline.resolved_items import ResolvedItem
from clipmill.timeline.source_color import source_color
from clipmill.timeline.source_traits import source_traits


def source_range(item: ResolvedItem, rate: int, target_lufs: float) -> SourceRange:
    """Return the range of an item's source, without framing, which depends on the output."""
    facts = item.source.facts
    at_us, whole_s, later_us = _excerpt_start(facts)
    start_s = Fraction(item.start, rate) - Fraction(at_us, 1_000_000)
    part = PlayedPart(start_s, start_s + Fraction(item.frames, rate))
    sound = item_sound(facts, item.audio, part, target_lufs=target_lufs)
    return SourceRange(
        media_id=item.source.media_id,
        sha256=item.source.sha256,
        format=_demuxer(item),
        still=item.still,
        has_audio=sound.is_audible,
        audio_stream=sound.stream,
        right_stream=sound.right_stream,
        audio_changes_form=sound.changes_form,
        video_stream=facts.video_stream if facts and not item.still else None,
        traits=source_traits(facts) if facts and not item.still else PictureTraits(),
        held_from=_held_from(facts, rate, later_us) if facts else None,
        start_us=sound.start_us - later_us,
        width=facts.width if facts else 0,
        height=facts.height if facts else 0,
        color=source_color(facts) if facts and not item.still else None,
        start=item.start - whole_s * rate,
        frames=item.frames,
        gain_mb=sound.gain_mb,
        layers=list(item.layers),
    )


def _demuxer(item: ResolvedItem) -> str:
    # The job converts every still image to PNG.
    if item.still:
        return "" if item.still.color else "png_pipe"
    return item.source.facts.format if item.source.facts else ""


def _excerpt_start(facts: MediaFacts | None) -> tuple[int, int, int]:
    """Return where a file starts in its source: in microseconds, and as whole seconds with a rest.

    Positions move by whole seconds, so that the file's frames are on the grid of the source's.
    """
    if facts is None or facts.excerpt is None:
        return 0, 0, 0
    at_us = facts.excerpt.at_us
    return at_us, *divmod(at_us, 1_000_000)


def _held_from(facts: MediaFacts, rate: int, later_us: int) -> int | None:
    if facts.pictures_us is None:
        return None
    return (facts.pictures_us + later_us) * rate // 1_000_000


def framed_ranges(
    items: Sequence[ResolvedItem], ranges: Sequence[SourceRange], output: Output
) -> tuple[SourceRange, ...]:
    """Return the source ranges of items with their framing in an output."""
    of_assets, of_clips = _asset_framing(output), _clip_framing(output)
    framed = []
    for item, source in zip(items, ranges, strict=True):
        framing = of_clips if item.clip else of_assets
        if item.clip and (item.clip.fit or item.clip.focus):
            framing = _clip_framing(output, item.clip)
        is_same = framing == source.framing
        framed.append(source if is_same else source.model_copy(update={"framing": framing}))
    return tuple(framed)


def _asset_framing(output: Output) -> Framing:
    # Zoom, alignment and layout apply to clips only.
    return Framing(fit=output.fit)


def _clip_framing(output: Output, clip: Clip | None = None) -> Framing:
    return Framing(
        fit=(clip and clip.fit) or output.fit,
        zoom=output.zoom,
        align=output.align,
        focus=(clip and clip.focus) or output.focus,
        panes=output.layout or [],
    )


def subrange(source: SourceRange, *, offset: int, frames: int) -> SourceRange:
    """Return `frames` frames of a source range from `offset` on."""
    if frames == source.frames and not source.layers:
        return source
    return source.model_copy(
        update={
            "start": source.start + offset,
            "frames": frames,
            "layers": layers_of_subrange(source, offset=offset, frames=frames),
        }
    )
