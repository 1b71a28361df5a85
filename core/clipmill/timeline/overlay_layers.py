"""What is drawn over a shot and when: creator card, texts and images, in frames. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from clipmill.protocol import Caption, Card, Image, Layer, LayerWindow, SourceRange
from clipmill.spec import Clip, ClipCredit, CompilationSpec, Overlay, Position, parse_duration

LEGIBLE_S = 1
"""A card that would be seen for less than this comes earlier, if the clip is long enough."""


def image_ids(spec: CompilationSpec) -> dict[str, str]:
    """Media ids of all images to be drawn, with the field that names each."""
    found: dict[str, str] = {}
    listed = [("spec.overlays", spec.overlays)]
    listed += [(f"spec.clips[{i}].overlays", clip.overlays) for i, clip in enumerate(spec.clips)]
    for field, overlays in listed:
        for i, overlay in enumerate(overlays):
            if overlay.media_id:
                found.setdefault(overlay.media_id, f"{field}[{i}].mediaId")
    for i, clip in enumerate(spec.clips):
        if clip.credit and clip.credit.avatar:
            found.setdefault(clip.credit.avatar, f"spec.clips[{i}].credit.avatar")
    return found


def build_layers(
    spec: CompilationSpec, clip: Clip, images: Mapping[str, str], *, frames: int, rate: int
) -> list[Layer]:
    """Everything over a clip of so many frames, the lowest first. `images`: sha256 by media id."""
    over = [_overlay(one, images, frames, rate) for one in (*spec.overlays, *clip.overlays)]
    card = _card(spec, clip.credit, images, frames, rate)
    found = [card, *over] if card else over
    return [layer for layer in found if layer.window is None or layer.window.over(frames)]


def hidden_overlay_notes(clip: Clip, name: str, *, frames: int, rate: int) -> list[str]:
    """A note for each overlay of the clip itself that starts after its end."""
    return [
        f"overlays[{i}] of {name} is never seen: it starts at {overlay.start},"
        f" and {frames / rate:.2f}s of the clip are played"
        for i, overlay in enumerate(clip.overlays)
        if round(parse_duration(overlay.start) * rate) >= frames
    ]


def _overlay(one: Overlay, images: Mapping[str, str], frames: int, rate: int) -> Layer:
    start = round(parse_duration(one.start) * rate)
    end = min(frames, round(parse_duration(one.end) * rate)) if one.end else frames
    words = Caption(text=one.text, color=one.color.upper(), box=one.box) if one.text else None
    return Layer(
        caption=words,
        image=_image(one.media_id, images),
        position=one.position,
        size=one.size,
        margin=one.margin,
        opacity=one.opacity,
        window=_window(start, max(1, end - start), fade=round(parse_duration(one.fade) * rate)),
    )


def _image(media_id: str | None, images: Mapping[str, str]) -> Image | None:
    return Image(media_id=media_id, sha256=images[media_id]) if media_id else None


def _window(at: int, frames: int, *, fade: int) -> LayerWindow:
    return LayerWindow(at=at, frames=frames, fade=min(fade, frames // 2))


def _card(
    spec: CompilationSpec,
    credit: ClipCredit | None,
    images: Mapping[str, str],
    frames: int,
    rate: int,
) -> Layer | None:
    """The creator card, seen as long as was asked, but not longer than the clip."""
    wish = spec.creator_card
    if credit is None or not wish.show or not (credit.creator or credit.game):
        return None
    start, length = (round(parse_duration(text) * rate) for text in (wish.start, wish.duration))
    if frames - start < min(LEGIBLE_S * rate, length):
        start = max(0, frames - length)
    avatar = _image(credit.avatar, images)
    return Layer(
        card=Card(creator=credit.creator, game=credit.game, avatar=avatar),
        position=Position.BOTTOM_LEFT,
        window=_window(
            start, max(1, min(length, frames - start)), fade=round(parse_duration(wish.fade) * rate)
        ),
    )


def layers_of_subrange(cut: SourceRange, *, offset: int, frames: int) -> list[Layer]:
    """The layers of a stretch of a cut: `frames` from `offset` on; those not seen there go."""
    found = []
    for layer in cut.layers:
        window = layer.window
        if window is None:
            found.append(layer)
            continue
        later = window.model_copy(update={"at": window.at - offset})
        if later.over(frames):
            found.append(layer.model_copy(update={"window": _steady(later, frames)}))
    return found


def _steady(window: LayerWindow, frames: int) -> LayerWindow | None:
    """None for a window that shows nothing but the full layer from first to last frame."""
    full_from, full_until = window.at + window.fade, window.at + window.frames - window.fade
    return None if full_from <= 0 and full_until >= frames else window
