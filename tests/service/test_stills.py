"""Still images and title cards as clips: their frames, colours, zoom and files."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

import clipmaker
from clipmill.ffmpeg.segment_args import segment_args
from clipmill.protocol import MediaFacts
from clipmill.spec import CompilationSpec
from clipmill.timeline.build import TITLE_CARD, MediaSource, Timeline, build_timeline
from clipmill.timeline.segments import split_into_segments
from clipmill_job.drawing.still_picture import convert_still
from clipmill_probe import probe_image
from commandline import clipmill, manifest_file

OUTPUT = {"name": "main", "preset": "custom", "width": 320, "height": 180, "rate": 30}
GREEN, BLACK = (51, 204, 51), (0, 0, 0)
Pixels = NDArray[np.uint8]


def _timeline(clips: list[dict[str, Any]], sources: list[MediaSource], **output: Any) -> Timeline:
    spec = CompilationSpec.model_validate({"clips": clips, "outputs": [{**OUTPUT, **output}]})
    return build_timeline(spec, spec.outputs[0], sources, {})


def _source(path: Path) -> MediaSource:
    return MediaSource("m-image", "1" * 64, probe_image(path))


def _rendered(timeline: Timeline, folder: Path, image: Path | None = None) -> list[Pixels]:
    """Return the frames of all segments as RGB."""
    pixels: list[Pixels] = []
    png = None
    if image:
        png = folder / "converted.png"
        convert_still(image, png)
    for i, segment in enumerate(split_into_segments(timeline)):
        paths = [str(png) if source.media_id else None for source in segment.sources]
        out = folder / f"{i}.mov"
        clipmaker.ffmpeg(*segment_args(segment, paths, str(out)))
        assert clipmaker.frame_times(out) == [Fraction(n, 30) for n in range(segment.frames)]
        assert len(clipmaker.samples(out)) == segment.frames * 1600
        with av.open(str(out)) as container:
            pixels += [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return pixels


def _near(pixel: Any, colour: tuple[int, int, int]) -> bool:
    return bool(np.abs(np.asarray(pixel, int) - np.asarray(colour)).max() <= 4)


def _png(path: Path, size: tuple[int, int], colour: tuple[int, ...] = GREEN) -> Path:
    Image.new("RGBA" if len(colour) == 4 else "RGB", size, colour).save(path)
    return path


LENGTHS: list[tuple[dict[str, Any], dict[str, Any], int]] = [
    ({}, {}, 120),
    ({"duration": "1.5s"}, {}, 45),
    ({"duration": 2}, {"maxClipDuration": "1s"}, 60),
    ({}, {"maxClipDuration": "1s"}, 30),
    ({"duration": "10s"}, {"quality": "Draft", "preview": "FirstSeconds"}, 60),
]


@pytest.mark.parametrize(("clip", "rest", "frames"), LENGTHS)
@pytest.mark.parametrize("kind", ["image", "card"])
def test_length(clip: dict[str, Any], rest: dict[str, Any], frames: int, kind: str) -> None:
    """The duration, else 4 s within maxClipDuration, and exact before anything is fetched."""
    source = {"mediaId": "m-image"} if kind == "image" else {"color": "#33CC33"}
    facts = MediaFacts(format="png", duration_us=0, width=64, height=64)
    media = MediaSource("m-image", "1" * 64, facts) if kind == "image" else TITLE_CARD
    spec = CompilationSpec.model_validate(
        {"clips": [{**source, **clip}], "outputs": [OUTPUT], **rest}
    )
    timeline = build_timeline(spec, spec.outputs[0], [media], {})
    assert (timeline.frames, timeline.exact, timeline.notes) == (frames, True, ())


def test_duration_of_a_video() -> None:
    """It counts from the start, and ends with the source at the latest."""
    facts = MediaFacts(format="mov", duration_us=3_000_000, width=64, height=64, frames=90)
    media = MediaSource("m-clip", "1" * 64, facts)
    for clip, frames in (({"start": "1s", "duration": 1}, 30), ({"duration": "9s"}, 90)):
        timeline = _timeline([{"mediaId": "m-clip", **clip}], [media])
        assert timeline.frames == frames


def test_a_trim_of_a_still_image_is_noted() -> None:
    """Start and end have no meaning, and the plan says so."""
    facts = MediaFacts(format="png", duration_us=0, width=64, height=64)
    clip = {"mediaId": "m-image", "name": "logo", "start": "1s", "end": "2s"}
    timeline = _timeline([clip], [MediaSource("m-image", "1" * 64, facts)])
    assert timeline.frames == 120
    assert [note.split(":")[0] for note in timeline.notes] == ["logo"]


@pytest.mark.parametrize("size", [(320, 180), (1920, 1080)])
@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_an_image_has_its_colours(suffix: str, size: tuple[int, int], tmp_path: Path) -> None:
    """In every format and at any size, without a border or a stretched pixel."""
    path = tmp_path / f"a.{suffix}"
    image = Image.new("RGB", size, GREEN)
    ImageDraw.Draw(image).rectangle((0, 0, size[0] // 4, size[1] // 4), fill=(204, 51, 51))
    image.save(path, quality=95)
    clip = {"mediaId": "m-image", "duration": "100ms"}
    frames = _rendered(_timeline([clip], [_source(path)]), tmp_path, path)
    assert len(frames) == 3
    for frame in frames:
        assert _near(frame[90, 160], GREEN)
        assert _near(frame[20, 40], (204, 51, 51))


def test_transparent_parts_are_black(tmp_path: Path) -> None:
    """The colour below a transparent pixel never shows."""
    path = _png(tmp_path / "a.png", (320, 180), (*GREEN, 0))
    frames = _rendered(
        _timeline([{"mediaId": "m-image", "duration": "100ms"}], [_source(path)]), tmp_path, path
    )
    assert _near(frames[0][90, 160], BLACK)


def test_a_photo_is_upright(tmp_path: Path) -> None:
    """EXIF says that the left side of the pixels is the bottom of the photo."""
    path = tmp_path / "a.jpg"
    image = Image.new("RGB", (180, 320), BLACK)
    ImageDraw.Draw(image).rectangle((0, 0, 180, 159), fill=GREEN)
    exif = Image.Exif()
    exif[0x0112] = 8  # turn by 90 degrees counterclockwise
    image.save(path, exif=exif, quality=95)
    clip = {"mediaId": "m-image", "duration": "100ms"}
    (frame, *_) = _rendered(_timeline([clip], [_source(path)]), tmp_path, path)
    assert _near(frame[90, 40], GREEN)
    assert _near(frame[90, 280], BLACK)


def test_a_tall_image_has_borders(tmp_path: Path) -> None:
    """The fit of the output applies."""
    path = _png(tmp_path / "a.png", (90, 180))
    clip = {"mediaId": "m-image", "duration": "100ms"}
    (contained, *_) = _rendered(_timeline([clip], [_source(path)]), tmp_path, path)
    assert _near(contained[90, 160], GREEN)
    assert _near(contained[90, 40], BLACK)
    (covered, *_) = _rendered(_timeline([clip], [_source(path)], fit="Cover"), tmp_path, path)
    assert _near(covered[90, 2], GREEN)


def _edge(frame: Pixels) -> float:
    """Return the position of the edge of the green square in the middle row, in pixels."""
    row = frame[90, 160:, 1].astype(float)
    return float(row.sum() / 204)


def test_slow_zoom_is_steady(tmp_path: Path) -> None:
    """The picture grows by the same step in each frame, also across a crossfade."""
    path = tmp_path / "a.png"
    image = Image.new("RGB", (320, 180), BLACK)
    ImageDraw.Draw(image).rectangle((80, 0, 239, 179), fill=GREEN)
    image.save(path)
    clip = {"mediaId": "m-image", "duration": "2s", "slowZoom": 20}
    source = _source(path)
    frames = _rendered(_timeline([clip], [source]), tmp_path, path)
    edges = np.array([_edge(frame) for frame in frames])
    assert edges[0] == pytest.approx(80, abs=1)
    assert edges[-1] == pytest.approx(96, abs=1)
    expected = 80 * (1 + 0.2 * np.arange(60) / 59)
    assert np.abs(edges - expected).max() < 0.75
    assert (np.diff(edges) > -0.1).all()
    faded = {"color": "#000000", "transition": {"type": "Fade", "duration": "500ms"}}
    timeline = _timeline([clip, {**faded, "name": "end"}], [source, TITLE_CARD])
    split = _rendered(timeline, tmp_path, path)
    assert len(split) == 60 + 120 - 15
    assert _edge(split[44]) == pytest.approx(edges[44], abs=0.3)


@pytest.mark.parametrize("color", ["#33CC33", "#FF0000", "#FFFFFF", "#000000", "#1A2B3C"])
def test_a_title_card_has_its_colour(color: str, tmp_path: Path) -> None:
    """Every frame and every corner, in the colours of the output."""
    timeline = _timeline([{"color": color, "duration": "200ms"}], [TITLE_CARD])
    rgb = tuple(bytes.fromhex(color[1:]))
    frames = _rendered(timeline, tmp_path)
    assert len(frames) == 6
    for frame in frames:
        assert _near(frame[0, 0], rgb)  # type: ignore[arg-type]
        assert _near(frame[179, 319], rgb)  # type: ignore[arg-type]


def test_a_card_a_photo_and_a_video_in_one_compilation(tmp_path: Path) -> None:
    """Local files and colours, from the manifest to the finished file and its chapters."""
    photo = _png(tmp_path / "photo.jpg", (640, 480))
    film = clipmaker.clip(tmp_path / "film.mp4", seconds=1)
    manifest = manifest_file(
        tmp_path / "show.yaml",
        [
            {
                "name": "part-one",
                "title": "Part one",
                "color": "#202060",
                "duration": 1,
                "overlays": [{"text": "Part one", "position": "Center", "size": 20}],
            },
            {"url": str(film), "transition": {"type": "Fade", "duration": "200ms"}},
            {"url": str(photo), "duration": "0:01", "slowZoom": 10},
        ],
    )
    done = clipmill("render", manifest, "-o", tmp_path / "out", "--state", tmp_path / "state")
    assert done.code == 0, done.err
    frames = clipmaker.frames(tmp_path / "out/main.mp4")
    assert len(frames) == 30 + 30 - 6 + 30
    card = frames[5].to_ndarray(format="rgb24")
    assert _near(card[4, 4], (0x20, 0x20, 0x60))
    assert card.max() > 200, "the text"
    assert _near(frames[-1].to_ndarray(format="rgb24")[90, 160], GREEN)
    report = json.loads((tmp_path / "out/report.json").read_text())
    assert [clip["state"] for clip in report["clips"]] == ["Ready"] * 3
    (chapters,) = (tmp_path / "out").glob("*chapters*")
    assert chapters.read_text().splitlines()[0] == "0:00 Part one"
