"""Build the layers over a clip and their windows: creator card, texts and images, in frames."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from clipmill.protocol import Caption, Card, Image, Layer, LayerWindow, SourceRange
from clipmill.spec import Clip, ClipCredit, CompilationSpec, Overlay, Position, parse_duration

# A card that would be visible for less than this moves forward if the clip is long enough.
LEGIBLE_S = 1


def image_ids(spec: CompilationSpec) -> dict[str, str]:
    """Return the media ids of all images, each with the first field that names it."""
    fields: dict[str, str] = {}
    groups = [("spec.overlays", spec.overlays)]
    groups += [(f"spec.clips[{i}].overlays", clip.overlays) for i, clip in enumerate(spec.clips)]
    for path, overlays in groups:
        for i, overlay in enumerate(overlays):
            if overlay.media_id:
                fields.setdefault(overlay.media_id, f"{path}[{i}].mediaId")
    for i, clip in enumerate(spec.clips):
        if clip.credit and clip.credit.avatar:
            fields.setdefault(clip.credit.avatar, f"spec.clips[{i}].credit.avatar")
    return fields


def build_layers(
    spec: CompilationSpec, clip: Clip, images: Mapping[str, str], *, frames: int, rate: int
) -> list[Layer]:
    """Return the visible layers over a clip, the lowest first.

    Args:
        spec: The spec, with the overlays and the creator card of all clips.
        clip: The clip, with its own overlays and credit.
        images: Hash of each image by media id.
        frames: Length of the clip in frames.
        rate: Frames per second.
    """
    card = _creator_card(spec, clip.credit, images, frames, rate)
    layers = [card] if card else []
    layers += [
        _overlay_layer(overlay, images, frames, rate)
        for overlay in (*spec.overlays, *clip.overlays)
    ]
    return [layer for layer in layers if layer.window is None or layer.window.overlaps(frames)]


def hidden_overlay_notes(clip: Clip, name: str, *, frames: int, rate: int) -> list[str]:
    """Return a note for each overlay of the clip that starts after the clip's end."""
    return [
        f"overlays[{i}] of {name} is never visible: it starts at {overlay.start},"
        f" and {frames / rate:.2f}s of the clip are played"
        for i, overlay in enumerate(clip.overlays)
        if _frames(overlay.start, rate) >= frames
    ]


def _overlay_layer(overlay: Overlay, images: Mapping[str, str], frames: int, rate: int) -> Layer:
    start = _frames(overlay.start, rate)
    end = min(frames, _frames(overlay.end, rate)) if overlay.end else frames
    caption = None
    if overlay.text:
        caption = Caption(text=overlay.text, color=overlay.color.upper(), box=overlay.box)
    return Layer(
        caption=caption,
        image=_image(overlay.media_id, images),
        position=overlay.position,
        size=overlay.size,
        margin=overlay.margin,
        opacity=overlay.opacity,
        window=_window(start, max(1, end - start), fade=_frames(overlay.fade, rate)),
    )


@lru_cache(maxsize=4096)
def _frames(duration: str, rate: int) -> int:
    return round(parse_duration(duration) * rate)


def _image(media_id: str | None, images: Mapping[str, str]) -> Image | None:
    return Image(media_id=media_id, sha256=images[media_id]) if media_id else None


def _window(at: int, frames: int, *, fade: int) -> LayerWindow:
    return LayerWindow(at=at, frames=frames, fade=min(fade, frames // 2))


def _creator_card(
    spec: CompilationSpec,
    credit: ClipCredit | None,
    images: Mapping[str, str],
    frames: int,
    rate: int,
) -> Layer | None:
    settings = spec.creator_card
    if credit is None or not settings.show or not (credit.creator or credit.game):
        return None
    start, length = _frames(settings.start, rate), _frames(settings.duration, rate)
    if frames - start < min(LEGIBLE_S * rate, length):
        start = max(0, frames - length)
    return Layer(
        card=Card(creator=credit.creator, game=credit.game, avatar=_image(credit.avatar, images)),
        position=Position.BOTTOM_LEFT,
        window=_window(
            start, max(1, min(length, frames - start)), fade=_frames(settings.fade, rate)
        ),
    )


def layers_of_subrange(source: SourceRange, *, offset: int, frames: int) -> list[Layer]:
    """Return the layers visible in a part of a source range, with their windows moved."""
    layers = []
    for layer in source.layers:
        if layer.window is None:
            layers.append(layer)
            continue
        window = layer.window.model_copy(update={"at": layer.window.at - offset})
        if window.overlaps(frames):
            layers.append(layer.model_copy(update={"window": _unless_constant(window, frames)}))
    return layers


def _unless_constant(window: LayerWindow, frames: int) -> LayerWindow | None:
    """Return None for a window in which the layer is fully visible in every frame."""
    full_from, full_until = window.at + window.fade, window.at + window.frames - window.fade
    return None if full_from <= 0 and full_until >= frames else window
