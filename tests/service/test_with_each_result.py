"""What comes with a result: chapters, credits, storyboard, thumbnail, hashes; any text intact."""

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
    """A library on one API."""
    with running(tmp_path_factory.mktemp("state")) as api:
        yield Studio(api, tmp_path_factory.mktemp("videos"))


@pytest.fixture(scope="module")
def made(studio: Studio, tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    """A clip for each hostile title, an intro that is black, music with tags."""
    folder = tmp_path_factory.mktemp("made")
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


def test_chapters_of_the_file(made: Rendered) -> None:
    """Each clip has its chapter, at its first frame, under its very title."""
    with av.open(str(made.video), metadata_errors="strict") as container:
        found = [
            (chapter["start"] * chapter["time_base"], chapter["metadata"]["title"])
            for chapter in container.chapters()
        ]
        title = container.metadata["title"]
    wanted = [(0, "Intro"), *((5 + i, text) for i, text in enumerate(HOSTILE.values()))]
    assert found == wanted
    assert title == HOSTILE["colon"] + HOSTILE["arabic"] + HOSTILE["backslash"]


def test_chapters_as_text(made: Rendered) -> None:
    """A line for each, from 0:00 on; a title of two lines is one."""
    lines = made.text("-chapters.txt").splitlines()
    assert lines[0] == "0:00 Intro"
    assert lines[1] == "0:05 Counter-Strike: Source"
    assert lines[4] == "0:08 back\\slash\\n"
    assert len(lines) == len(HOSTILE) + 1
    assert [chapter.title for chapter in made.plan.outputs[0].chapters][1:] == [*HOSTILE.values()]


def test_credits(made: Rendered) -> None:
    """Who made what, and the music with what its tags and the spec say."""
    text = made.text("-credits.txt")
    assert "100 % sure %{pts} by Grace H. (Counter-Strike: Source)\n" in text
    assert text.endswith(f"Music: Tagged: title by Tag's artist (CC BY 4.0)\n   {URL}\n")
    music = made.plan.outputs[0].credits[-1]
    assert (music.kind, music.by, music.url) == ("music", "Tag's artist", URL)


def test_the_manifest_names_all_that_went_in(made: Rendered, studio: Studio) -> None:
    """Sources, segments and the file itself, each by its hash."""
    found = made.manifest()
    data = made.video.read_bytes()
    assert found["file"]["sha256"] == hashlib.sha256(data).hexdigest() == made.output.sha256
    assert found["file"]["sizeBytes"] == len(data)
    assert found["file"]["frames"] == made.output.frames
    kinds = {source["kind"]: source["mediaId"] for source in found["sources"]}
    assert {"intro", "clip", "music"} == set(kinds)
    shas = {source["sha256"] for source in found["sources"]}
    assert shas == {studio.user.media(media_id).sha256 for media_id in kinds.values()}
    assert sum(segment["frames"] for segment in found["segments"]) == made.output.frames
    assert len({segment["key"] for segment in found["segments"]}) == 2
    assert found["timeline"][1]["title"] == HOSTILE["colon"]
    assert re.match(r"ffmpeg version \S+", found["renderer"]["ffmpeg"])
    assert found["loudness"]["lufs"] == made.output.loudness_lufs


def test_the_storyboard_says_where_each_moment_is(made: Rendered) -> None:
    """The cues cover the whole video without a gap, and each names a tile of the picture."""
    cues = made.text(".vtt")
    assert cues.startswith("WEBVTT\n\n")
    times = re.findall(r"(\d\d):(\d\d):(\d\d\.\d{3}) --> (\d\d):(\d\d):(\d\d\.\d{3})", cues)
    spans = [
        tuple(round(int(h) * 3600 + int(m) * 60 + float(s), 3) for h, m, s in (t[:3], t[3:]))
        for t in times
    ]
    assert spans[0][0] == 0
    assert [end for _, end in spans[:-1]] == [start for start, _ in spans[1:]]
    assert spans[-1][1] == pytest.approx(made.output.frames / 30, abs=0.001)
    places = re.findall(r"main-storyboard.png#xywh=(\d+),(\d+),(\d+),(\d+)", cues)
    with Image.open(made.video.with_name("main-storyboard.png")) as sheet:
        boxes = [tuple(map(int, place)) for place in places]
        tiles = [sheet.crop((x, y, x + w, y + h)).convert("L") for x, y, w, h in boxes]
    dark = [ImageStat.Stat(tile).mean[0] < 8 for tile in tiles]
    assert dark == [end <= 5 or (start + end) / 2 < 5 for start, end in spans]


def test_the_thumbnail_is_not_black(made: Rendered) -> None:
    """At second 3 there is a black intro: another moment is shown."""
    with Image.open(made.video.with_name("main.jpg")) as picture:
        assert picture.width == 480
        assert ImageStat.Stat(picture.convert("L")).mean[0] > 32


def test_every_file_has_its_id_and_type(made: Rendered, studio: Studio) -> None:
    """The ids lead to media of their kinds; downloads have their content types."""
    types = {}
    for file in COMPANION_FILES:
        media_id = file.media_id(made.output)
        assert media_id is not None
        assert studio.user.media(media_id).kind is file.kind
        where = f"/api/compilations/{made.view.id}/outputs/{file.name('main')}"
        types[file.kind] = studio.user.connection.request_once("GET", where).headers["content-type"]
    assert types[MediaKind.STORYBOARD_CUES] == "text/vtt; charset=utf-8"
    assert types[MediaKind.CREDITS] == "text/plain; charset=utf-8"
    assert types[MediaKind.MANIFEST] == "application/json"
