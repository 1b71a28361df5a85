"""When layers are visible, in frames: cards, overlays, and the layers of a subrange."""

from __future__ import annotations

from typing import Any

import pytest

from clipmill.ffmpeg.overlay_filter import LayerInput, overlay_chains
from clipmill.ffmpeg.segment_args import RenderedLayer
from clipmill.protocol import Caption, Layer, LayerWindow, SourceRange
from clipmill.spec import CompilationSpec
from clipmill.timeline.overlay_layers import (
    build_layers,
    hidden_overlay_notes,
    image_ids,
    layers_of_subrange,
)

RATE = 30


def windows(frames: int, clip: dict[str, Any], **spec: Any) -> list[LayerWindow]:
    """Return the windows of all layers over a clip, the lowest first."""
    parsed = CompilationSpec.model_validate({"clips": [{"mediaId": "m-clip", **clip}], **spec})
    layers = build_layers(parsed, parsed.clips[0], {}, frames=frames, rate=RATE)
    return [layer.window for layer in layers if layer.window]


CREDIT = {"credit": {"creator": "Grace"}}
CARDS = [
    # clip's frames, the card's first frame and length: second 3 to 10, cut at the clip's end
    (600, (90, 210)),
    (300, (90, 210)),
    (200, (90, 110)),
    (121, (90, 31)),
    # less than a second would be left: the card moves forward
    (119, (0, 119)),
    (60, (0, 60)),
    (1, (0, 1)),
]


@pytest.mark.parametrize(("frames", "visible"), CARDS)
def test_a_card_is_within_its_clip(frames: int, visible: tuple[int, int]) -> None:
    """The card is visible in its window within the clip, and never for less than a second."""
    (window,) = windows(frames, CREDIT)
    assert (window.at, window.frames) == visible
    assert window.fade == min(9, window.frames // 2)


NO_CARD: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"credit": {}}, {}),
    ({"credit": {"avatar": "m-face"}}, {}),
    (CREDIT, {"creatorCard": {"show": False}}),
]


@pytest.mark.parametrize(("clip", "spec"), NO_CARD)
def test_no_card_without_text(clip: dict[str, Any], spec: dict[str, Any]) -> None:
    """There is no card without a credit, with a picture alone, or if cards are disabled."""
    assert windows(300, clip, **spec) == []


OVERLAYS = [
    ({}, (0, 300, 0)),
    ({"start": "1s"}, (30, 270, 0)),
    ({"start": "1s", "end": "2s"}, (30, 30, 0)),
    ({"end": "1m"}, (0, 300, 0)),
    ({"fade": "500ms"}, (0, 300, 15)),
    ({"start": "1s", "end": "1.2s", "fade": "5s"}, (30, 6, 3)),
]


@pytest.mark.parametrize(("more", "visible"), OVERLAYS)
def test_an_overlays_window(more: dict[str, Any], visible: tuple[int, int, int]) -> None:
    """The window is in frames within the clip; a fade takes at most half of it."""
    (window,) = windows(300, {"overlays": [{"text": "x", **more}]})
    assert (window.at, window.frames, window.fade) == visible


def test_a_note_for_an_overlay_that_starts_after_the_end() -> None:
    """The overlay has no layer, but a note."""
    late = {"overlays": [{"text": "x", "start": "10s"}]}
    assert windows(300, late) == []
    clip = CompilationSpec.model_validate({"clips": [{"mediaId": "m-clip", **late}]}).clips[0]
    assert hidden_overlay_notes(clip, "goal", frames=300, rate=RATE) == [
        "overlays[0] of goal is never visible: it starts at 10s, and 10.00s of the clip are played"
    ]


def test_order_and_images() -> None:
    """The card is lowest, then the overlays of all clips, then those of this clip."""
    spec = CompilationSpec.model_validate(
        {
            "overlays": [{"mediaId": "m-logo"}],
            "clips": [
                {
                    "mediaId": "m-clip",
                    "credit": {"game": "Chess", "avatar": "m-face"},
                    "overlays": [{"text": "x"}, {"mediaId": "m-star"}],
                }
            ],
        }
    )
    assert image_ids(spec) == {
        "m-logo": "spec.overlays[0].mediaId",
        "m-star": "spec.clips[0].overlays[1].mediaId",
        "m-face": "spec.clips[0].credit.avatar",
    }
    images = dict.fromkeys(image_ids(spec), "0" * 64)
    layers = build_layers(spec, spec.clips[0], images, frames=300, rate=RATE)
    kinds = ["card" if e.card else "caption" if e.caption else "image" for e in layers]
    assert kinds == ["card", "image", "caption", "image"]


SUBRANGES = [
    # window in a clip of 100 frames; offset and length of the subrange; its window
    (LayerWindow(at=10, frames=20), (0, 40), LayerWindow(at=10, frames=20)),
    (LayerWindow(at=10, frames=20), (15, 40), LayerWindow(at=-5, frames=20)),
    (LayerWindow(at=10, frames=20), (12, 10), None),
    (LayerWindow(at=10, frames=20, fade=5), (15, 10), None),
    (LayerWindow(at=10, frames=20, fade=5), (14, 10), LayerWindow(at=-4, frames=20, fade=5)),
    (LayerWindow(at=0, frames=100), (0, 100), None),
]


@pytest.mark.parametrize(("window", "subrange", "expected"), SUBRANGES)
def test_a_subrange_moves_the_window(
    window: LayerWindow, subrange: tuple[int, int], expected: LayerWindow | None
) -> None:
    """A window that covers the whole subrange is dropped."""
    offset, frames = subrange
    (layer,) = layers_of_subrange(_source(window), offset=offset, frames=frames)
    assert layer.window == expected


def test_a_subrange_outside_the_window_has_no_layer() -> None:
    """The subrange may be before the window or after it."""
    window = LayerWindow(at=10, frames=20)
    assert layers_of_subrange(_source(window), offset=0, frames=10) == []
    assert layers_of_subrange(_source(window), offset=30, frames=10) == []


def _source(window: LayerWindow) -> SourceRange:
    return SourceRange(
        media_id="m-clip",
        sha256="0" * 64,
        format="mov",
        has_audio=False,
        start=0,
        frames=100,
        layers=[Layer(caption=Caption(text="x"), window=window)],
    )


def test_no_text_of_a_layer_is_in_the_filters() -> None:
    """The graph contains only the position and the frames of the image."""
    text = "'; [v0] drawtext=%{pts}:\\"
    layer = Layer(caption=Caption(text=text), window=LayerWindow(at=-3, frames=20, fade=5))
    graph = overlay_chains(
        [LayerInput(layer, RenderedLayer("/s/0.png", 4, 6), 2)],
        frames=10,
        rate=RATE,
        pad="v0",
        label="v",
    )
    assert len(graph) == 2
    assert text not in ";".join(graph)
    assert graph[0].startswith("[2:v:0]scale=")
    assert graph[1] == "[v0][vi0]overlay=x=4:y=6:format=yuv420:enable='between(n,0,9)'[v]"
