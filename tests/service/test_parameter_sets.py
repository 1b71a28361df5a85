"""Segments of a profile have the same parameter sets and colour tags, whatever their sources."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import pytest

import clipmaker
from clipmill.ffmpeg.segment_args import segment_args
from clipmill.protocol import Framing, Profile, Segment, SourceRange
from clipmill.spec import Fit, Output, TransitionType
from clipmill.timeline.profiles import PRESETS, build_profile
from clipmill.timeline.source_color import source_color
from clipmill_probe import Depth, probe_media
from harness import running
from studio import Studio, custom

# Matrix, primaries and transfer 1 are BT.709; range 1 is limited ("tv").
BT709_TAGS = (1, 1, 1, 1)
H264 = Profile(width=320, height=180, rate=30, crf=28, speed="ultrafast", max_bitrate=2_000_000)
VP9 = H264.model_copy(update={"encoder": "libvpx-vp9"})
X265 = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error")
FRAMES = 3


def _filters(*filters: str, **params: str) -> tuple[str, ...]:
    declared = ":".join(f"{name}={value}" for name, value in params.items())
    return ("-vf", ",".join((*filters, *([f"setparams={declared}"] if params else []))))


def _tagged(matrix: str, primaries: str, transfer: str, *filters: str) -> tuple[str, ...]:
    tags = {"colorspace": matrix, "color_primaries": primaries, "color_trc": transfer}
    return _filters(*filters, **tags)


# Encoder arguments of sources that differ in what they declare of their picture.
SOURCES: dict[str, tuple[str, ...]] = {
    "untagged": (),
    "bt709": _tagged("bt709", "bt709", "bt709"),
    "bt601": _tagged("smpte170m", "smpte170m", "smpte170m"),
    "matrix-only": _filters(colorspace="bt470bg"),
    "primaries-only": _filters(color_primaries="bt709"),
    "full-range": _filters("scale=out_range=pc", range="pc"),
    "chroma-location": _filters(chroma_location="topleft"),
    "hdr10": (*_tagged("bt2020nc", "bt2020", "smpte2084", "format=yuv420p10le"), *X265),
    "yuv444": (*_filters("format=yuv444p"), "-profile:v", "high444"),
    "rgb": (*_filters("format=rgb24"), "-c:v", "libx264rgb"),
    "interlaced": (*_filters("tinterlace=4", "fieldorder=tff"), "-flags", "+ildct+ilme"),
    "wide-pixels": _filters("setsar=4/3"),
}
BLACK = SourceRange(media_id=None, sha256="", format="", has_audio=False, start=0, frames=FRAMES)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A file of each kind."""
    folder = tmp_path_factory.mktemp("sources")
    paths = {}
    for name, args in SOURCES.items():
        path = folder / f"{name}.mkv"
        video = () if "-c:v" in args else ("-c:v", "libx264", "-preset", "ultrafast")
        pixels = () if "-vf" in args else ("-pix_fmt", "yuv420p")
        lavfi = ("-f", "lavfi", "-i", "testsrc2=s=320x180:r=30:d=1")
        clipmaker.ffmpeg(*lavfi, *video, *pixels, *args, str(path))
        paths[name] = path
    with av.open(str(paths["bt709"])) as container:
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_primaries, context.color_trc) == BT709_TAGS[:3]
    return paths


def _range(path: Path | None, framing: Framing) -> SourceRange:
    if path is None:
        return BLACK.model_copy(update={"framing": framing})
    facts = probe_media(path, depth=Depth.PACKETS)
    return BLACK.model_copy(
        update={
            "media_id": "m-test",
            "format": facts.format,
            "width": facts.width,
            "height": facts.height,
            "color": source_color(facts),
            "framing": framing,
        }
    )


def _form(
    folder: Path,
    *paths: Path | None,
    profile: Profile = H264,
    framing: Framing = Framing(),
    kind: TransitionType = TransitionType.NONE,
) -> tuple[Any, ...]:
    """Render a segment; return its parameter sets, time base and the tags of its first frame."""
    ranges = [_range(path, framing) for path in paths]
    segment = Segment(key="0" * 64, sources=ranges, transition=kind, profile=profile)
    out = folder / "segment"
    files = [str(path) if path else None for path in paths]
    clipmaker.ffmpeg(*segment_args(segment, files, str(out)))
    with av.open(str(out)) as container:
        stream = container.streams.video[0]
        frame = next(container.decode(stream))
        tags = (frame.colorspace, frame.color_primaries, frame.color_trc, frame.color_range)
        return stream.codec_context.extradata, stream.time_base, tags


FRAMINGS = [
    Framing(),
    Framing(fit=Fit.COVER, zoom=120),
    Framing(fit=Fit.CONTAIN_BLUR),
    Framing.model_validate(
        {
            "panes": [
                {
                    "source": {"left": 0, "top": 0, "width": 50, "height": 50},
                    "target": {"left": 0, "top": 0, "width": 100, "height": 50},
                }
            ]
        }
    ),
]


@pytest.mark.parametrize("framing", FRAMINGS, ids=["contain", "cover", "blur", "panes"])
def test_any_source_gives_the_form_of_a_placeholder(
    framing: Framing, sources: dict[str, Path], tmp_path: Path
) -> None:
    """Parameter sets, time base and tags are the same for every kind of source."""
    expected = _form(tmp_path, None)
    assert expected[2] == BT709_TAGS
    forms = {name: _form(tmp_path, path, framing=framing) for name, path in sources.items()}
    assert {name for name, form in forms.items() if form != expected} == set()


@pytest.mark.parametrize("kind", [TransitionType.FADE, TransitionType.FADE_BLACK])
def test_a_transition_of_unlike_sources(
    kind: TransitionType, sources: dict[str, Path], tmp_path: Path
) -> None:
    """Both orders of each pair with an untagged source, and with a placeholder."""
    expected = _form(tmp_path, None)
    forms = {}
    for name, path in sources.items():
        for other in (sources["untagged"], None):
            forms[name, other, 1] = _form(tmp_path, path, other, kind=kind)
            forms[name, other, 2] = _form(tmp_path, other, path, kind=kind)
    assert {pair for pair, form in forms.items() if form != expected} == set()


@pytest.mark.parametrize("preset", [*PRESETS, "custom"])
def test_every_preset(preset: str, sources: dict[str, Path], tmp_path: Path) -> None:
    """An untagged and a tagged source have one form in every preset."""
    size = {"width": 640, "height": 360, "rate": 25} if preset == "custom" else {}
    profile = build_profile(Output.model_validate({"name": "main", "preset": preset, **size}))
    paths = (sources["untagged"], sources["bt709"], None)
    assert len({_form(tmp_path, path, profile=profile) for path in paths}) == 1


def test_vp9(sources: dict[str, Path], tmp_path: Path) -> None:
    """WebM segments have the same tags, too."""
    forms = {_form(tmp_path, path, profile=VP9)[2] for path in (*sources.values(), None)}
    # VP9 has one field for the colour space, which includes primaries and transfer.
    assert {form[0] for form in forms} == {1}
    assert {form[3] for form in forms} == {1}


@pytest.mark.parametrize("container", ["mp4", "webm"])
def test_a_result_of_unlike_sources_is_tagged(
    container: str, sources: dict[str, Path], tmp_path: Path
) -> None:
    """Intro, clips of every kind and transitions in one compilation: BT.709, limited range."""
    names = sources if container == "mp4" else ("untagged", "bt709", "hdr10")
    with running(tmp_path / "state") as api:
        studio = Studio(api, tmp_path)
        ids = {name: studio.upload(sources[name]) for name in names}
        fade = {"type": "Fade", "duration": "100ms"}
        clips = [
            {"mediaId": media_id, "end": "300ms", "name": name, "transition": fade if i else None}
            for i, (name, media_id) in enumerate(ids.items())
        ]
        spec = {
            "clips": [{k: v for k, v in clip.items() if v} for clip in clips],
            "intro": {"mediaId": ids["bt709"]},
            "outputs": [custom(container=container)],
        }
        path = studio.video(spec)
    with av.open(str(path)) as opened:
        context = opened.streams.video[0].codec_context
        stream_tags = (
            context.colorspace,
            context.color_primaries,
            context.color_trc,
            context.color_range,
        )
        frame_tags = {
            (frame.colorspace, frame.color_primaries, frame.color_trc, frame.color_range)
            for frame in opened.decode(video=0)
        }
    assert stream_tags == BT709_TAGS
    assert frame_tags == {BT709_TAGS}
