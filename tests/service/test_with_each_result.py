"""Companion files of a result: chapters, credits, storyboard, thumbnail, manifest."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

import av
import pytest
from PIL import Image, ImageStat

import clipmaker
import levels
from clipmill.protocol import MediaKind
from clipmill.protocol.companion_kinds import COMPANION_FILES
from finished import Rendered, rendered
from harness import SMALL, running
from studio import Studio

HOSTILE = {
    "colon": "Counter-Strike: Source",
    "apostrophe": "Baldur's Gate 3",
    "percent": "100 % sure %{pts}",
    "backslash": "back\\slash\\n",
    "emoji": "\U0001f3ac clutch \U0001f469\u200d\U0001f680",
    "arabic": "\u0645\u0631\u062d\u0628\u0627",
    "markup": "a=b;c#d[e]<b>",
    "long": "x" * 200,
}
URL = "https://example.org/track?a=1&b=%20'"


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A user with a library."""
    with running(tmp_path_factory.mktemp("state")) as api:
        yield Studio(api, tmp_path_factory.mktemp("videos"))


@pytest.fixture(scope="module")
def result(studio: Studio, tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    """A result with a clip for each hostile title, a black intro, and music with tags."""
    folder = tmp_path_factory.mktemp("result")
    clip = studio.upload(clipmaker.clip(folder / "a.mp4", seconds=1))
    black = clipmaker.clip(folder / "black.mp4", seconds=5, picture="color", sound=None)
    intro = studio.upload(black, MediaKind.INTRO)
    tags = ("-metadata", "title=Tagged: title", "-metadata", "artist=Tag's artist")
    track = levels.track(folder / "t.mp3", levels.tone(300, 3), extra=tags)
    music = studio.upload(track, MediaKind.MUSIC)
    clips = [
        {"mediaId": clip, "name": name, "title": title, "credit": {"creator": title[:100]}}
        for name, title in HOSTILE.items()
    ]
    clips[2]["credit"] = {"creator": "Grace H.", "game": HOSTILE["colon"]}
    spec = {
        "title": HOSTILE["colon"] + HOSTILE["arabic"] + HOSTILE["backslash"],
        "clips": clips,
        "creatorCard": {"show": False},
        "intro": {"mediaId": intro},
        "music": {"mediaId": music, "credit": {"license": "CC BY 4.0", "url": URL}},
        "outputs": [SMALL],
    }
    return rendered(studio, folder / "out", spec)


def test_chapters_in_the_video(result: Rendered) -> None:
    """Each clip has a chapter with its exact title at its first frame."""
    with av.open(str(result.video), metadata_errors="strict") as container:
        chapters = [
            (chapter["start"] * (chapter["time_base"] or 0), chapter["metadata"]["title"])
            for chapter in container.chapters()
        ]
        title = container.metadata["title"]
    expected = [(0, "Intro"), *((5 + i, text) for i, text in enumerate(HOSTILE.values()))]
    assert chapters == expected
    assert title == HOSTILE["colon"] + HOSTILE["arabic"] + HOSTILE["backslash"]


def test_chapters_as_text(result: Rendered) -> None:
    """The file has one line for each chapter, from 0:00 on."""
    lines = result.text("-chapters.txt").splitlines()
    assert lines[0] == "0:00 Intro"
    assert lines[1] == "0:05 Counter-Strike: Source"
    assert lines[4] == "0:08 back\\slash\\n"
    assert len(lines) == len(HOSTILE) + 1
    assert [chapter.title for chapter in result.plan.outputs[0].chapters][1:] == [*HOSTILE.values()]


def test_credits(result: Rendered) -> None:
    """Clips have their credits; the music has those of its tags and of the spec."""
    text = result.text("-credits.txt")
    assert "100 % sure %{pts} by Grace H. (Counter-Strike: Source)\n" in text
    assert text.endswith(f"Music: Tagged: title by Tag's artist (CC BY 4.0)\n   {URL}\n")
    music = result.plan.outputs[0].credits[-1]
    assert (music.kind, music.by, music.url) == ("music", "Tag's artist", URL)


def test_the_manifest_lists_all_inputs(result: Rendered, studio: Studio) -> None:
    """Sources, segments and the video have their hashes."""
    manifest = result.manifest()
    data = result.video.read_bytes()
    assert manifest["file"]["sha256"] == hashlib.sha256(data).hexdigest() == result.output.sha256
    assert manifest["file"]["sizeBytes"] == len(data)
    assert manifest["file"]["frames"] == result.output.frames
    kinds = {source["kind"]: source["mediaId"] for source in manifest["sources"]}
    assert {"intro", "clip", "music"} == set(kinds)
    hashes = {source["sha256"] for source in manifest["sources"]}
    assert hashes == {studio.user.media(media_id).sha256 for media_id in kinds.values()}
    assert sum(segment["frames"] for segment in manifest["segments"]) == result.output.frames
    assert len({segment["key"] for segment in manifest["segments"]}) == 2
    assert manifest["timeline"][1]["title"] == HOSTILE["colon"]
    assert re.match(r"ffmpeg version \S+", manifest["renderer"]["ffmpeg"])
    assert manifest["loudness"]["lufs"] == result.output.loudness_lufs


def test_storyboard_cues_cover_the_video(result: Rendered) -> None:
    """The cues have no gaps, and each refers to the tile of its time."""
    cues = result.text(".vtt")
    assert cues.startswith("WEBVTT\n\n")
    times = re.findall(r"(\d\d):(\d\d):(\d\d\.\d{3}) --> (\d\d):(\d\d):(\d\d\.\d{3})", cues)
    spans = [
        tuple(round(int(h) * 3600 + int(m) * 60 + float(s), 3) for h, m, s in (t[:3], t[3:]))
        for t in times
    ]
    assert spans[0][0] == 0
    assert [end for _, end in spans[:-1]] == [start for start, _ in spans[1:]]
    assert spans[-1][1] == pytest.approx(result.output.frames / 30, abs=0.001)
    places = re.findall(r"main-storyboard.png#xywh=(\d+),(\d+),(\d+),(\d+)", cues)
    with Image.open(result.video.with_name("main-storyboard.png")) as sheet:
        boxes = [tuple(map(int, place)) for place in places]
        tiles = [sheet.crop((x, y, x + w, y + h)).convert("L") for x, y, w, h in boxes]
    dark = [ImageStat.Stat(tile).mean[0] < 8 for tile in tiles]
    assert dark == [end <= 5 or (start + end) / 2 < 5 for start, end in spans]


def test_the_thumbnail_is_not_black(result: Rendered) -> None:
    """The default time lies in the black intro, so another frame is used."""
    with Image.open(result.video.with_name("main.jpg")) as picture:
        assert picture.width == 480
        assert ImageStat.Stat(picture.convert("L")).mean[0] > 32


def test_companion_files_have_id_and_type(result: Rendered, studio: Studio) -> None:
    """The ids lead to media of their kinds; downloads have their content types."""
    types = {}
    for file in COMPANION_FILES:
        media_id = file.media_id(result.output)
        assert media_id is not None
        assert studio.user.media(media_id).kind is file.kind
        where = f"/api/compilations/{result.view.id}/outputs/{file.name('main')}"
        types[file.kind] = studio.user.connection.request_once("GET", where).headers["content-type"]
    assert types[MediaKind.STORYBOARD_CUES] == "text/vtt; charset=utf-8"
    assert types[MediaKind.CREDITS] == "text/plain; charset=utf-8"
    assert types[MediaKind.MANIFEST] == "application/json"
