"""When a layer is seen, in frames: cards, texts, and what a cut in the middle leaves of them."""

from __future__ import annotations

from typing import Any

import pytest

from clipmill.ffmpeg.overlay_filter import LayerInput, overlay_chains
from clipmill.ffmpeg.segment_args import RenderedLayer
from clipmill.protocol import Layer, SourceRange, LayerWindow, Caption
from clipmill.spec import CompilationSpec
from clipmill.timeline.overlay_layers import image_ids, build_layers, layers_of_subrange, hidden_overlay_notes

RATE = 30


def windows(frames: int, clip: dict[str, Any], **spec: Any) -> list[LayerWindow]:
    """The windows of all layers over a clip of so many frames, the lowest first."""
    wish = CompilationSpec.model_validate({"clips": [{"mediaId": "m-clip", **clip}], **spec})
    found = build_layers(wish, wish.clips[0], {}, frames=frames, rate=RATE)
    return [layer.window for layer in found if layer.window]


CREDIT = {"credit": {"creator": "Grace"}}
CARDS = [
    # clip's frames, the card's first frame and length: second 3 to 10, cut at the clip's end
    (600, (90, 210)),
    (300, (90, 210)),
    (200, (90, 110)),
    (121, (90, 31)),
    # less than a second would be left: it comes earlier
    (119, (0, 119)),
    (60, (0, 60)),
    (1, (0, 1)),
]


@pytest.mark.parametrize(("frames", "seen"), CARDS)
def test_a_card_is_within_its_clip(frames: int, seen: tuple[int, int]) -> None:
    """The window asked for, as far as the clip goes, and never for an illegible moment."""
    (window,) = windows(frames, CREDIT)
    assert (window.at, window.frames) == seen
    assert window.fade == min(9, window.frames // 2)


NO_CARD: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"credit": {}}, {}),
    ({"credit": {"avatar": "m-face"}}, {}),
    (CREDIT, {"creatorCard": {"show": False}}),
]


@pytest.mark.parametrize(("clip", "spec"), NO_CARD)
def test_no_card_without_words(clip: dict[str, Any], spec: dict[str, Any]) -> None:
    """Neither without a credit, nor with a picture alone, nor when it is turned off."""
    assert windows(300, clip, **spec) == []


OVERLAYS = [
    ({}, (0, 300, 0)),
    ({"start": "1s"}, (30, 270, 0)),
    ({"start": "1s", "end": "2s"}, (30, 30, 0)),
    ({"end": "1m"}, (0, 300, 0)),
    ({"fade": "500ms"}, (0, 300, 15)),
    ({"start": "1s", "end": "1.2s", "fade": "5s"}, (30, 6, 3)),
]


@pytest.mark.parametrize(("more", "seen"), OVERLAYS)
def test_an_overlays_window(more: dict[str, Any], seen: tuple[int, int, int]) -> None:
    """In frames, within the clip; a fade takes at most half of it."""
    (window,) = windows(300, {"overlays": [{"text": "x", **more}]})
    assert (window.at, window.frames, window.fade) == seen


def test_one_that_starts_after_the_end_is_told() -> None:
    """It is left out, and a note says so."""
    late = {"overlays": [{"text": "x", "start": "10s"}]}
    assert windows(300, late) == []
    clip = CompilationSpec.model_validate({"clips": [{"mediaId": "m-clip", **late}]}).clips[0]
    assert hidden_overlay_notes(clip, "goal", frames=300, rate=RATE) == [
        "overlays[0] of goal is never visible: it starts at 10s, and 10.00s of the clip are played"
    ]


def test_order_and_images() -> None:
    """The card is lowest, then what is over all, then what is over this clip."""
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
    found = build_layers(spec, spec.clips[0], images, frames=300, rate=RATE)
    kinds = ["card" if one.card else "words" if one.caption else "image" for one in found]
    assert kinds == ["card", "image", "words", "image"]


PARTS = [
    # window of a clip of 100 frames; a part of it; what is left
    (LayerWindow(at=10, frames=20), (0, 40), LayerWindow(at=10, frames=20)),
    (LayerWindow(at=10, frames=20), (15, 40), LayerWindow(at=-5, frames=20)),
    (LayerWindow(at=10, frames=20), (12, 10), None),
    (LayerWindow(at=10, frames=20, fade=5), (15, 10), None),
    (LayerWindow(at=10, frames=20, fade=5), (14, 10), LayerWindow(at=-4, frames=20, fade=5)),
    (LayerWindow(at=0, frames=100), (0, 100), None),
]


@pytest.mark.parametrize(("window", "part", "left"), PARTS)
def test_a_part_keeps_what_is_seen(
    window: LayerWindow, part: tuple[int, int], left: LayerWindow | None
) -> None:
    """The window moves with the cut; where it only shows the full layer it is none at all."""
    (found,) = layers_of_subrange(_cut(window), offset=part[0], frames=part[1])
    assert found.window == left


def test_a_part_outside_the_window_has_no_layer() -> None:
    """Before it, and from its end on."""
    window = LayerWindow(at=10, frames=20)
    assert layers_of_subrange(_cut(window), offset=0, frames=10) == []
    assert layers_of_subrange(_cut(window), offset=30, frames=10) == []


def _cut(window: LayerWindow) -> SourceRange:
    return SourceRange(
        media_id="m-clip",
        sha256="0" * 64,
        format="mov",
        has_audio=False,
        start=0,
        frames=100,
        layers=[Layer(caption=Caption(text="x"), window=window)],
    )


def test_no_word_of_a_layer_is_in_the_filters() -> None:
    """Only the picture's place and its frames are."""
    text = "'; [v0] drawtext=%{pts}:\\"
    layer = Layer(caption=Caption(text=text), window=LayerWindow(at=-3, frames=20, fade=5))
    graph = overlay_chains(
        [LayerInput(layer, RenderedLayer("/s/0.png", 4, 6), 2)], frames=10, rate=RATE, pad="v0", label="v"
    )
    assert len(graph) == 2
    assert text not in ";".join(graph)
    assert graph[0].startswith("[2:v:0]scale=")
    assert graph[1] == "[v0][vi0]overlay=x=4:y=6:format=yuv420:enable='between(n,0,9)'[v]"
