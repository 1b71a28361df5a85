"""Layers in decoded frames: creator cards, captions, images and the watermark."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import av
import pytest
from PIL import Image, ImageChops, ImageStat

import clipmaker
from clipmill.protocol import (
    Caption,
    Card,
    CompilationState,
    Layer,
    MediaKind,
    Profile,
    Segment,
    SourceRange,
    Stage,
)
from clipmill.protocol import Image as ImageFile
from clipmill.spec import Position
from clipmill_api.accounts.watermark import Watermark
from clipmill_client.errors import PermanentError
from clipmill_job.drawing.layer_drawing import draw_layer
from clipmill_job.rendering.layer_image_cache import LayerImageCache
from clipmill_job.rendering.source_files import SourceFiles
from harness import Harness, running
from studio import Studio, custom, run

HOSTILE = [
    "Counter-Strike: Source",
    "Baldur's Gate 3",
    "100% \\ %{pts} [v0];drawtext=x",
    "two\nlines",
    "🎬 fire 🔥",
    "مرحبا بالعالم",
    "שלום (abc)",
    "日本語 한국어",
]
# A clip of grey 110 in the result, after the conversion from BT.601 to BT.709.
GREY = (108, 108, 108)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """An API."""
    with running(tmp_path_factory.mktemp("state")) as harness:
        yield harness


@pytest.fixture(scope="module")
def studio(local: Harness, tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """An owner without limits."""
    return Studio(local, tmp_path_factory.mktemp("out"))


def flat(folder: Path, level: int = 110, seconds: float = 4) -> Path:
    """A clip of one grey."""
    luma = round(16 + level * 219 / 255)
    return clipmaker.clip(
        folder / f"grey{level}.mp4",
        seconds=seconds,
        picture=f"nullsrc,geq=lum={luma}:cb=128:cr=128",
    )


@pytest.fixture(scope="module")
def grey(studio: Studio) -> str:
    """4 s of grey in the library."""
    return studio.upload(flat(studio.folder))


def images(path: Path) -> list[Image.Image]:
    """All frames as images."""
    return [frame.to_image() for frame in clipmaker.frames(path)]


def level(image: Image.Image, box: tuple[int, int, int, int]) -> float:
    """Mean brightness of a region, 0 to 255."""
    return ImageStat.Stat(image.convert("L").crop(box)).mean[0]


def difference(image: Image.Image, other: Image.Image) -> float:
    """Mean difference of two images, 0 to 255."""
    return max(ImageStat.Stat(ImageChops.difference(image, other)).mean)


# Within the card of a frame of 320x180, right of all letters.
CARD_BOX = (100, 145, 160, 160)


def test_a_card_is_visible_in_its_window_only(studio: Studio, grey: str) -> None:
    """Exact to the frame, from second 1 to second 3."""
    clip = {"mediaId": grey, "credit": {"creator": "A", "game": "B"}}
    card = {"start": "1s", "duration": "2s", "fade": "0s"}
    path = studio.video({"clips": [clip], "creatorCard": card, "outputs": [custom()]})
    dark = [i for i, image in enumerate(images(path)) if level(image, CARD_BOX) < 60]
    assert dark == list(range(30, 90))


def test_a_card_fades(studio: Studio, grey: str) -> None:
    """It fades in and out over the fade's frames and is half transparent in their middle."""
    clip = {"mediaId": grey, "credit": {"creator": "A"}}
    card = {"start": "1s", "duration": "2s", "fade": "400ms"}
    path = studio.video({"clips": [clip], "creatorCard": card, "outputs": [custom()]})
    seen = [level(image, CARD_BOX) for image in images(path)]
    full = min(seen)
    assert seen[29] == pytest.approx(GREY[0], abs=2)
    assert seen[36] == pytest.approx((GREY[0] + full) / 2, abs=8)
    assert seen[42:78] == pytest.approx([full] * 36, abs=2)
    assert seen[84] == pytest.approx((GREY[0] + full) / 2, abs=8)
    assert seen[90] == pytest.approx(GREY[0], abs=2)
    assert all(after < before + 1 for before, after in pairwise(seen[29:43]))


def test_a_card_keeps_its_default_window(studio: Studio) -> None:
    """From second 3 to 10; a shorter clip shows it to its end."""
    long = studio.upload(flat(studio.folder, 111, seconds=11))
    short = studio.upload(flat(studio.folder, 112, seconds=2))
    credit = {"creator": "A"}
    clips = [
        {"mediaId": long, "credit": credit},
        {"mediaId": short, "credit": credit, "name": "short"},
    ]
    outputs = [custom(128, 72, 24)]
    path = studio.video({"clips": clips, "outputs": outputs})
    box = (40, 58, 64, 64)
    dark = [i for i, image in enumerate(images(path)) if level(image, box) < 108]
    assert dark[0] - 3 * 24 in (0, 1)
    assert [i for i in range(1, len(dark)) if dark[i] != dark[i - 1] + 1] == [
        i for i, frame in enumerate(dark) if frame >= 11 * 24
    ][:1]
    assert max(frame for frame in dark if frame < 11 * 24) - 10 * 24 in (-1, -2)
    assert max(dark) >= 13 * 24 - 2


def test_a_layer_continues_through_a_transition(studio: Studio, grey: str) -> None:
    """A caption without a window is visible in every frame of a crossfade."""
    box = {"text": "X", "box": 100, "position": "TopLeft", "margin": 0, "size": 20}
    clips: list[dict[str, Any]] = [
        {"mediaId": grey, "end": "1s"},
        {
            "mediaId": grey,
            "name": "b",
            "end": "1s",
            "transition": {"type": "Fade", "duration": "300ms"},
        },
    ]
    path = studio.video({"clips": clips, "overlays": [box], "outputs": [custom()]})
    seen = [level(image, (1, 1, 6, 6)) for image in images(path)]
    assert len(seen) == 51
    assert max(seen) < 12


def test_an_overlay_of_one_clip_only(studio: Studio, grey: str) -> None:
    """Its `end` is the first frame without it, counted from the clip's start."""
    over = {"text": "Go", "box": 100, "start": "500ms", "end": "1s", "position": "Center"}
    clips = [{"mediaId": grey, "end": "1s"}, {"mediaId": grey, "name": "b", "overlays": [over]}]
    path = studio.video({"clips": clips, "outputs": [custom()]})
    frames = images(path)
    marked = [i for i, image in enumerate(frames) if difference(image, frames[0]) > 0.3]
    assert marked == list(range(45, 60))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_rendered_literally(text: str, studio: Studio, grey: str) -> None:
    """No character is lost or interpreted by ffmpeg: the frame equals a reference image."""
    over = {"text": text, "size": 14, "position": "Center"}
    line = text.replace("\n", " ")
    clip = {"mediaId": grey, "end": "200ms", "overlays": [over], "title": line}
    credit = {"creator": line, "game": line}
    spec = {"clips": [{**clip, "credit": credit}], "title": line, "outputs": [custom()]}
    frame = images(studio.video({**spec, "creatorCard": {"start": "0s", "fade": "0s"}}))[2]
    expected = Image.new("RGBA", (320, 180), (*GREY, 255))
    card = Layer(card=Card(creator=line, game=line), position=Position.BOTTOM_LEFT)
    words = Layer(caption=Caption(text=text), size=14, position=Position.CENTER)
    for layer in (card, words):
        placed = draw_layer(layer, (320, 180), {})
        expected.alpha_composite(placed.image, (placed.x, placed.y))
    plain = Image.new("RGB", (320, 180), GREY)
    assert difference(frame, expected.convert("RGB")) < 2.5
    assert difference(plain, expected.convert("RGB")) > 5


def picture(folder: Path, name: str, size: tuple[int, int] = (100, 50)) -> Path:
    """A red image, its right half transparent."""
    image = Image.new("RGBA", size, (255, 0, 0, 255))
    image.paste((0, 0, 0, 0), (size[0] // 2, 0, *size))
    image.save(folder / name)
    return folder / name


def test_an_image_in_its_place_and_share(studio: Studio, grey: str) -> None:
    """It has its share of the height, its aspect ratio, and its transparency."""
    media = studio.upload(picture(studio.folder, "logo.png"), MediaKind.IMAGE)
    over = {"mediaId": media, "size": 50, "margin": 10, "position": "TopRight"}
    spec = {"clips": [{"mediaId": grey, "end": "200ms"}], "overlays": [over]}
    frame = images(studio.video({**spec, "outputs": [custom()]}))[0]
    # 90 high, 180 wide, 18 from above and from the right: from 122 to 302.
    red, clear = frame.getpixel((160, 60)), frame.getpixel((280, 60))
    assert red[0] > 230, red
    assert max(red[1:]) < 30, red
    assert clear == pytest.approx(GREY, abs=4)
    for x, y in ((116, 60), (160, 10), (160, 114)):
        assert frame.getpixel((x, y)) == pytest.approx(GREY, abs=6)
    assert frame.getpixel((126, 22))[0] > 230
    assert frame.getpixel((206, 104))[0] > 230


def test_an_image_has_facts(studio: Studio) -> None:
    """Format and size, also when it is validated again; it cannot be used as an intro."""
    media = studio.user.upload_media(picture(studio.folder, "size.png", (60, 20)), MediaKind.IMAGE)
    assert media.facts is not None
    assert (media.facts.format, media.facts.width, media.facts.height) == ("png", 60, 20)
    assert studio.user.validate_media(media.id) == media.facts
    with pytest.raises(PermanentError) as caught:
        studio.render({"clips": [{"color": "#000000"}], "intro": {"mediaId": media.id}})
    assert caught.value.code == "UnknownMedia"
    assert caught.value.facts["field"] == "spec.intro.mediaId"


def test_an_avatar_on_the_card(studio: Studio, grey: str) -> None:
    """A square of 128 pixels at 50 from the left, scaled with the frame."""
    media = studio.upload(picture(studio.folder, "face.webp", (64, 64)), MediaKind.IMAGE)
    clip = {"mediaId": grey, "end": "200ms", "credit": {"creator": "A", "avatar": media}}
    spec = {"clips": [clip], "creatorCard": {"start": "0s", "fade": "0s"}, "outputs": [custom()]}
    frame = images(studio.video(spec))[0]
    assert frame.getpixel((12, 150))[0] > 200
    assert max(frame.getpixel((26, 150))) < 60


def test_an_image_in_use_cannot_be_deleted(studio: Studio, grey: str) -> None:
    """It can be deleted after the compilation has ended."""
    media = studio.upload(picture(studio.folder, "once.png", (30, 30)), MediaKind.IMAGE)
    spec = {"clips": [{"mediaId": grey}], "overlays": [{"mediaId": media}], "outputs": [custom()]}
    uid, plan = studio.api.register(studio.owner, spec)
    with pytest.raises(PermanentError) as caught:
        studio.user.delete_media(media)
    assert caught.value.code == "InUse"
    assert run(studio.api, uid, Stage.ASSEMBLE) == 0
    studio.user.delete_media(media)
    assert studio.user.plan(str(plan.compilation_id)).outputs == []


@pytest.mark.parametrize("media_id", [None, "m-missing"])
def test_overlays_are_images_of_the_library(
    media_id: str | None, studio: Studio, grey: str
) -> None:
    """A clip and a missing image are refused; the refusal names the field."""
    overlays = [{"mediaId": media_id or grey}]
    with pytest.raises(PermanentError) as caught:
        studio.render({"clips": [{"mediaId": grey}], "overlays": overlays})
    assert caught.value.code == "UnknownMedia"
    assert caught.value.facts["field"] == "spec.overlays[0].mediaId"


NO_IMAGES = [
    (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "NotMedia"),
    (b"GIF89a" + b"\0" * 40, "NotMedia"),
    (b"text", "NotMedia"),
]


@pytest.mark.parametrize(("content", "code"), NO_IMAGES)
def test_other_files_are_refused_as_images(
    content: bytes, code: str, studio: Studio, tmp_path: Path
) -> None:
    """The content decides, not the name."""
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(PermanentError) as caught:
        studio.upload(path, MediaKind.IMAGE)
    assert caught.value.code == code


def test_truncated_and_huge_images_are_refused(studio: Studio, tmp_path: Path) -> None:
    """A truncated image is Damaged; one of a hundred megapixels is TooLarge."""
    whole = picture(tmp_path, "whole.png", (400, 400))
    truncated = clipmaker.truncate_file(whole, tmp_path / "cut.png", 0.6)
    huge = tmp_path / "huge.png"
    Image.new("1", (10_000, 10_000)).save(huge)
    for path, code in ((truncated, "Damaged"), (huge, "TooLarge")):
        with pytest.raises(PermanentError) as caught:
            studio.upload(path, MediaKind.IMAGE)
        assert caught.value.code == code


def test_an_undecodable_image_fails_the_task(tmp_path: Path) -> None:
    """It is a permanent error with its own code."""
    (tmp_path / "a").write_bytes(b"no image")
    layer = Layer(image=ImageFile(sha256="0" * 64))
    source = SourceRange(media_id=None, sha256="", format="", has_audio=False, start=0, frames=1)
    form = Profile(width=64, height=64, rate=30, crf=19, speed="ultrafast", max_bitrate=10**6)
    segment = Segment(key="0" * 64, sources=[source], profile=form, watermark=layer)
    cache = LayerImageCache(tmp_path / "layers", cast(SourceFiles, _OneFile(tmp_path / "a")))
    with pytest.raises(PermanentError) as caught:
        cache.of(segment)
    assert caught.value.code == "UnreadableImage"


class _OneFile:
    """Source files with one file for every image."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def image_path(self, image: ImageFile) -> Path:
        return self._path


# --- the watermark --------------------------------------------------------------------------------


def marked(folder: Path, name: str = "mark.png") -> Watermark:
    """A white square of a tenth of the height in the upper left corner."""
    Image.new("RGBA", (50, 50), (255, 255, 255, 255)).save(folder / name)
    return Watermark(path=folder / name, position=Position.TOP_LEFT, size=20, margin=0, opacity=50)


def test_a_watermark_is_in_every_frame(tmp_path: Path) -> None:
    """Of intro, clip and transition, also in a draft; at half opacity."""
    with running(tmp_path / "state", watermark=marked(tmp_path)) as api:
        free = Studio(api, tmp_path, apply_watermark=True)
        media = free.upload(flat(tmp_path, seconds=1))
        fade = {"type": "Fade", "duration": "300ms"}
        clips = [{"mediaId": media}, {"mediaId": media, "name": "b", "transition": fade}]
        spec = {"clips": clips, "intro": {"mediaId": media}}
        for form in ({"outputs": [custom()]}, {"outputs": [custom()], "quality": "Draft"}):
            frames = images(free.video({**spec, **form}))
            assert frames
            for image in frames:
                assert level(image, (4, 4, 30, 30)) == pytest.approx((255 + 110) / 2, abs=5)
                assert level(image, (60, 60, 300, 170)) == pytest.approx(110, abs=3)


def test_no_watermark_where_the_tier_has_none(tmp_path: Path) -> None:
    """Another tier of the same installation has no watermark."""
    with running(tmp_path / "state", watermark=marked(tmp_path)) as api:
        paying = Studio(api, tmp_path, apply_watermark=False)
        media = paying.upload(flat(tmp_path, seconds=0.5))
        frames = images(paying.video({"clips": [{"mediaId": media}], "outputs": [custom()]}))
        assert level(frames[0], (4, 4, 30, 30)) == pytest.approx(110, abs=3)


@pytest.mark.parametrize("content", [None, b"no image"])
def test_without_its_watermark_nothing_is_rendered(content: bytes | None, tmp_path: Path) -> None:
    """The spec is refused when the watermark is missing or not an image."""
    path = tmp_path / "mark.png"
    if content is not None:
        path.write_bytes(content)
    with running(tmp_path / "state", watermark=Watermark(path=path)) as api:
        free = Studio(api, tmp_path, apply_watermark=True)
        media = free.upload(flat(tmp_path, seconds=0.5))
        with pytest.raises(PermanentError) as caught:
            free.render({"clips": [{"mediaId": media}], "outputs": [custom()]})
        assert caught.value.code == "WatermarkMissing"


def test_the_watermark_of_the_plan_is_kept(tmp_path: Path) -> None:
    """Replacing the file changes the next compilation, not the planned one."""
    with running(tmp_path / "state", watermark=marked(tmp_path)) as api:
        free = Studio(api, tmp_path, apply_watermark=True)
        media = free.upload(flat(tmp_path, seconds=0.5))
        spec = {"clips": [{"mediaId": media}], "outputs": [custom()]}
        uid, _ = api.register(free.owner, spec)
        Image.new("RGBA", (50, 50), (0, 0, 0, 255)).save(tmp_path / "mark.png")
        assert run(api, uid, Stage.ASSEMBLE) == 0
        view = api.operator.view(uid)
        assert view.state is CompilationState.SUCCEEDED
        free.user.download_output(view.id, "main", tmp_path / "first.mp4")
        first = level(images(tmp_path / "first.mp4")[0], (4, 4, 30, 30))
        second = level(images(free.video(spec))[0], (4, 4, 30, 30))
        assert (first, second) == pytest.approx((182, 55), abs=6)


def test_the_bundled_watermark(local: Harness, tmp_path: Path) -> None:
    """Without a setting, the bundled image is in the lower right corner."""
    free = Studio(local, tmp_path, apply_watermark=True)
    media = free.upload(flat(tmp_path, seconds=0.5))
    frame = images(free.video({"clips": [{"mediaId": media}], "outputs": [custom(640, 360)]}))[0]
    corner = frame.convert("L").crop((480, 320, 640, 360))
    assert corner.getextrema()[1] > 135
    assert level(frame, (0, 0, 400, 300)) == pytest.approx(110, abs=3)


def test_frames_are_bt709(studio: Studio, grey: str) -> None:
    """An overlay does not change the tags of the stream."""
    over = {"text": "X", "fade": "100ms"}
    path = studio.video({"clips": [{"mediaId": grey}], "overlays": [over], "outputs": [custom()]})
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_range) == (1, 1)
