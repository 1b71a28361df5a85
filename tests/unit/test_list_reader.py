"""Lists of yt-dlp, without a network: entries, tabs of channels, several videos of one page."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from clipmill_job.discovering import list_reader
from discovery import ReadSource, StoppedClock, query, task

MORNING = datetime(2026, 11, 2, 10, tzinfo=UTC)
CHANNEL = "https://www.youtube.com/@example"


class Lister:
    """yt-dlp with fixed lists by their URL."""

    def __init__(self, lists: dict[str, Any]) -> None:
        self._lists = lists
        self.urls: list[str] = []

    def __call__(self, options: dict[str, Any]) -> Lister:
        assert options["extract_flat"] == "in_playlist"
        assert options["playlistend"] == 30
        assert "max_filesize" not in options
        return self

    def __enter__(self) -> Lister:
        return self

    def __exit__(self, *_: object) -> None: ...

    def extract_info(self, url: str, download: bool) -> Any:
        """Return the list of a URL."""
        assert not download
        self.urls.append(url)
        return self._lists[url]


def read_list(lists: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> tuple[Lister, ReadSource]:
    """Read the list of CHANNEL."""
    lister = Lister(lists)
    monkeypatch.setattr(list_reader, "YoutubeDL", lister)
    source = query({"list": {"url": CHANNEL}})
    return lister, ReadSource(list_reader.read, task(source), clock=StoppedClock())


def entry(number: int, **fields: Any) -> dict[str, Any]:
    """Return an entry of a flat list."""
    return {
        "_type": "url",
        "ie_key": "Youtube",
        "id": f"video{number}",
        "url": f"https://www.youtube.com/watch?v=video{number}",
        "title": f"Video {number}",
        "view_count": 100 + number,
        "duration": 12.5,
        **fields,
    }


def test_the_fields_of_an_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each field that the list has; dates by time or by day, or none."""
    entries = [
        entry(1, timestamp=MORNING.timestamp(), uploader="Rook", channel="RookLift", language="en"),
        entry(2, upload_date="20261103", duration=None, view_count=None),
        entry(3),
    ]
    lists = {CHANNEL: {"webpage_url": CHANNEL, "entries": entries}}
    _, reading = read_list(lists, monkeypatch)
    assert reading.error is None
    names = ("title", "creator", "broadcaster", "language", "views", "duration_ms", "created_at")
    assert [tuple(getattr(c, name) for name in names) for c in reading.candidates] == [
        ("Video 1", "Rook", "RookLift", "en", 101, 12_500, MORNING),
        ("Video 2", None, None, None, None, None, datetime(2026, 11, 3, tzinfo=UTC)),
        ("Video 3", None, None, None, 103, 12_500, None),
    ]


def test_the_tabs_of_a_channel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each tab is a list of its own."""
    tabs = [
        {"_type": "url", "ie_key": "YoutubeTab", "url": f"{CHANNEL}/{name}"}
        for name in ("videos", "shorts")
    ]
    lists = {
        CHANNEL: {"webpage_url": CHANNEL, "entries": tabs},
        f"{CHANNEL}/videos": {"webpage_url": f"{CHANNEL}/videos", "entries": [entry(1)]},
        f"{CHANNEL}/shorts": {"webpage_url": f"{CHANNEL}/shorts", "entries": [entry(2), None]},
    }
    lister, reading = read_list(lists, monkeypatch)
    assert lister.urls == [CHANNEL, f"{CHANNEL}/videos", f"{CHANNEL}/shorts"]
    assert [c.title for c in reading.candidates] == ["Video 1", "Video 2"]
    assert reading.http.requests == 3


def test_lists_that_name_each_other_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """At most ten lists are read."""
    tab = {"_type": "url", "ie_key": "YoutubeTab", "url": CHANNEL}
    lister, _ = read_list({CHANNEL: {"entries": [tab, tab]}}, monkeypatch)
    assert len(lister.urls) == 10


def test_a_single_video(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its page is its address, not the file that it would be downloaded from."""
    video = {"webpage_url": CHANNEL, "url": "https://cdn.example.org/signed.mp4", "title": "One"}
    _, reading = read_list({CHANNEL: video}, monkeypatch)
    assert [c.url for c in reading.candidates] == [CHANNEL]


def test_an_address_that_is_not_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """yt-dlp is not called."""
    monkeypatch.setattr(list_reader, "YoutubeDL", None)
    for url in ("http://10.0.0.1/list", "ytsearch5:chess", "file:///etc/passwd"):
        reading = ReadSource(list_reader.read, task(query({"list": {"url": url}})))
        assert reading.error is not None
        assert reading.error.reason == "ForbiddenURL"
