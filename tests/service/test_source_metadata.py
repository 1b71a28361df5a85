"""Title, people, game and date from a clip's platform fill what the manifest leaves out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import clipmaker
from clipmill.protocol import CompilationView, Media, SourceMetadata, Stage
from clipmill_job.fetching.source_metadata import source_metadata
from harness import Harness, running
from sources_server import SourceServer, serve_sources
from studio import custom, run

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
VIDEO = {
    "@context": "https://schema.org",
    "@type": "VideoObject",
    "name": "The  opener\nof the week",
    "author": {"@type": "Person", "name": "Grace"},
    "uploadDate": "2026-05-04T12:00:00Z",
}


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SourceServer]:
    """A page that describes a video, and the plain file."""
    folder = tmp_path_factory.mktemp("served")
    clipmaker.clip(folder / "a.mp4", seconds=1)
    with serve_sources(folder) as server:
        video = json.dumps({**VIDEO, "contentUrl": server.url("a.mp4")})
        script = f'<script type="application/ld+json">{video}</script>'
        (folder / "page.html").write_text(f"<!DOCTYPE html><html><head>{script}</head></html>")
        yield server


@pytest.fixture(scope="module")
def local(web: SourceServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """An API that allows the web server's address."""
    with running(tmp_path_factory.mktemp("state"), allow_private=(web.address,)) as harness:
        yield harness


def _rendered(api: Harness, clip: dict[str, Any], **spec: Any) -> tuple[CompilationView, Media]:
    """Fetch and render one clip; return the compilation and the clip's media."""
    owner, user = api.user()
    uid, _ = api.register(owner, {"clips": [clip], "outputs": [custom()], **spec})
    assert run(api, uid, Stage.FETCH) == 0
    assert run(api, uid, Stage.ASSEMBLE) == 0
    view = api.operator.view(uid)
    return view, user.media(str(view.clips[0].media_id))


def _plan(api: Harness, view: CompilationView) -> Any:
    return api.client(api.admin.create_key(view.owner)).plan(view.id).outputs[0]


def test_a_page_gives_title_creator_and_date(local: Harness, web: SourceServer) -> None:
    """yt-dlp reads them; chapters, credits and the view of the media show them."""
    view, media = _rendered(local, {"url": web.url("page.html")})
    assert media.source is not None
    assert media.source.title == "The opener of the week"
    assert (media.source.creator, media.source.published) == ("Grace", date(2026, 5, 4))
    plan = _plan(local, view)
    assert [chapter.title for chapter in plan.chapters] == ["The opener of the week"]
    (credit,) = plan.credits
    assert (credit.title, credit.by) == ("The opener of the week", "Grace")


def test_the_manifest_wins(local: Harness, web: SourceServer) -> None:
    """Field by field."""
    clip = {"url": web.url("page.html"), "title": "Mine", "credit": {"game": "Chess"}}
    view, _ = _rendered(local, clip)
    (credit,) = _plan(local, view).credits
    assert (credit.title, credit.by, credit.about) == ("Mine", "Grace", "Chess")


def test_a_plain_file_has_no_title(local: Harness, web: SourceServer) -> None:
    """Its name is no title."""
    view, media = _rendered(local, {"url": web.url("a.mp4")})
    assert media.source is None
    assert [chapter.title for chapter in _plan(local, view).chapters] == ["clip-1"]


def test_segments_change_with_the_card_only(local: Harness, web: SourceServer) -> None:
    """Without a card, the creator is no part of the picture."""
    clips = [{"url": web.url(name)} for name in ("page.html", "a.mp4")]
    keys = {}
    for show in (False, True):
        card = {"creatorCard": {"show": show, "start": "0s", "duration": "500ms"}}
        keys[show] = {_only_segment(local, clip, **card) for clip in clips}
    assert (len(keys[False]), len(keys[True])) == (1, 2)


def _only_segment(api: Harness, clip: dict[str, Any], **spec: Any) -> str:
    owner, _ = api.user()
    uid, _ = api.register(owner, {"clips": [clip], "outputs": [custom()], **spec})
    assert run(api, uid, Stage.FETCH) == 0
    assignment = api.job(uid, Stage.ASSEMBLE).claim(0, "pod")
    assert assignment.assemble is not None
    (segment,) = assignment.assemble[0].segments
    return segment.key


INFOS: dict[str, tuple[dict[str, Any], SourceMetadata]] = {
    "a clip of Twitch": (
        {
            "extractor_key": "TwitchClips",
            "title": "Opener",
            "uploader": "cutter",
            "channel": "Grace",
            "creators": ["Grace"],
            "categories": ["Chess"],
            "timestamp": 1742869615,
        },
        SourceMetadata(
            title="Opener",
            creator="cutter",
            broadcaster="Grace",
            game="Chess",
            published=date(2025, 3, 25),
        ),
    ),
    "a category that is no game": (
        {"extractor_key": "Youtube", "title": "T", "channel": "C", "categories": ["Gaming"]},
        SourceMetadata(title="T", broadcaster="C"),
    ),
    "a date without a time": ({"upload_date": "20260504"}, SourceMetadata(published="2026-05-04")),
    "values of other types": (
        {"title": 5, "creators": "x", "upload_date": "soon", "timestamp": None, "uploader": " \n"},
        SourceMetadata(),
    ),
    "a time beyond all calendars": ({"timestamp": 1e300}, SourceMetadata()),
    "hostile text": (
        {"title": "a\u2028b\x00c\ud800" + "x" * 500},
        SourceMetadata(title="a b\x00c?" + "x" * 500),
    ),
}


@pytest.mark.parametrize("name", INFOS)
def test_info_dicts(name: str) -> None:
    """Every text is one line of at most 200 characters without control characters."""
    info, expected = INFOS[name]
    assert SourceMetadata.model_validate(source_metadata(info)) == expected


def test_a_library_job_cannot_describe_an_upload(local: Harness, tmp_path: Path) -> None:
    """Only of a fetched clip the metadata is kept."""
    _, user = local.user()
    path = clipmaker.clip(tmp_path / "b.mp4", seconds=1)
    assert user.upload_media(path, "clip").source is None  # type: ignore[arg-type]
