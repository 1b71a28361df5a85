"""Feeds: entries of real forms, and documents that must not be parsed."""

from __future__ import annotations

import gzip
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from clipmill_job.discovering import bounded_http
from clipmill_job.discovering.feed_reader import clock_ms, read
from discovery import ReadSource, query, task
from fake_sources.replies import Asked, Reply

HOST = "http://127.0.0.1:9"
URL = f"{HOST}/feeds/clips.xml"
RSS = """<?xml version="1.0" encoding="utf-8"?>
<!-- written by hand -->
<rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"
 xmlns:media="http://search.yahoo.com/mrss/">
<channel><title>Clips</title><link>https://example.org/</link><language>en</language>
<item><title>Fork &amp; &lt;b&gt;pin&lt;/b&gt;</title><link>https://example.org/1</link>
<author>rook@example.org (Rook)</author><pubDate>Sun, 01 Nov 2026 10:00:00 +0100</pubDate>
<enclosure url="../files/one.mp4" type="video/mp4" length="9"/>
<itunes:duration>1:02</itunes:duration></item>
<item><title>Without a date</title><link>/two</link></item>
<item><title>Media</title><link>https://example.org/3</link>
<media:content url="https://example.org/3.webm" medium="video" duration="12.5"/>
<media:statistics views="77"/></item>
<item><title>Audio</title><link>https://example.org/4</link>
<enclosure url="https://example.org/4.mp3" type="audio/mpeg" length="9"/></item>
<item><title>Private</title><link>http://192.168.0.1/x</link></item>
<item><title>Nothing</title></item>
</channel></rss>"""
ATOM = """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://example.org/a/">
<title>Clips</title><author><name>Rook</name></author>
<entry><title type="html">&lt;i&gt;One&lt;/i&gt;</title><link href="one"/>
<updated>2026-11-02T10:00:00Z</updated></entry></feed>"""
BOMB = (
    '<?xml version="1.0"?>\n<!DOCTYPE rss [<!ENTITY a "ha">'
    + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "]>\n<rss><channel><item><title>&i;</title></item></channel></rss>"
)
XXE = (
    '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    "<rss><channel><item><title>&x;</title><link>https://example.org/1</link></item></channel></rss>"
)


def read_feed(body: bytes | str, status: int = 200, most: int = 100, **headers: str) -> ReadSource:
    """Read a feed of this content."""
    content = body.encode() if isinstance(body, str) else body
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    def respond(_: Asked) -> Reply:
        return Reply(status=status, body=content, headers=named)

    source = {"feed": {"url": URL, "most": most}}
    return ReadSource(read, task(query(source)), respond)


def reason(reading: ReadSource) -> str:
    """Return why a source could not be read."""
    assert reading.error is not None
    assert "\n" not in reading.error.message
    return reading.error.reason


def test_rss() -> None:
    """Enclosures, links, relative ones, dates and their absence, durations, views."""
    names = ("url", "title", "creator", "duration_ms", "views", "created_at", "language")
    reading = read_feed(RSS, content_type="text/xml; charset=utf-8")
    at = datetime(2026, 11, 1, 9, tzinfo=UTC)
    assert [tuple(getattr(c, name) for name in names) for c in reading.candidates] == [
        (f"{HOST}/files/one.mp4", "Fork & pin", "rook@example.org (Rook)", 62_000, None, at, "en"),
        (f"{HOST}/two", "Without a date", None, None, None, None, "en"),
        ("https://example.org/3.webm", "Media", None, 12_500, 77, None, "en"),
        ("https://example.org/4", "Audio", None, None, None, None, "en"),
    ]


def test_atom() -> None:
    """A relative link, a title of HTML, the feed's author."""
    (clip,) = read_feed(ATOM).candidates
    assert (clip.url, clip.title, clip.creator) == ("https://example.org/a/one", "One", "Rook")
    assert clip.created_at == datetime(2026, 11, 2, 10, tzinfo=UTC)


def test_the_first_entries_only() -> None:
    """At most as many as the source allows."""
    assert len(read_feed(RSS, most=2).candidates) == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-8-sig", "iso-8859-1"])
def test_encodings(encoding: str) -> None:
    """As the declaration says."""
    declared = encoding.removesuffix("-sig")
    text = RSS.replace('encoding="utf-8"', f'encoding="{declared}"').replace("Media", "Mät")
    assert read_feed(text.encode(encoding)).candidates[2].title == "Mät"


def test_a_compressed_feed() -> None:
    """By gzip and by zlib."""
    assert len(read_feed(gzip.compress(RSS.encode()), content_encoding="gzip").candidates) == 4
    assert len(read_feed(zlib.compress(RSS.encode()), content_encoding="deflate").candidates) == 4


@pytest.mark.parametrize(
    "document",
    [
        BOMB,
        XXE,
        BOMB.encode("utf-16"),
        b"\xef\xbb\xbf" + XXE.encode(),
        "<!-- a --><?pi?>" + XXE,
        XXE.replace("<!DOCTYPE", "<!doctype"),
    ],
)
def test_a_doctype_is_refused(document: str | bytes) -> None:
    """Also in UTF-16, and after comments: it can define entities."""
    reading = read_feed(document)
    assert reason(reading) == "DoctypeRefused"
    assert "spec.sources[0].feed.url" in str(reading.error)
    assert reading.candidates == []


@pytest.mark.parametrize(
    "document",
    [
        "",
        "plain text",
        "<!DOCTYPE html><html><body>404</body></html>",
        "<html></html>",
        '{"items": []}',
        "/etc/passwd",
        "http://127.0.0.1:9/other",
        b"\0\xff\xfe<",
        '<?xml version="1.0" encoding="utf-7"?>+ADwAIQ-DOCTYPE rss>',
        '<?xml version="1.0" encoding="utf-7"?><!-- --+AD4APAAh-DOCTYPE x --><rss></rss>',
        RSS.encode("cp037"),
        "<" * 100_000,
        "<!--" * 100_000,
        "<?a?>" * 50_000,
    ],
)
def test_what_is_no_feed(document: str | bytes) -> None:
    """Pages, names of files, encodings whose markup is hidden."""
    assert reason(read_feed(document)) == "NotAFeed"


def test_a_broken_feed_is_read_as_far_as_it_goes() -> None:
    """As feed readers do."""
    assert [c.title for c in read_feed(RSS[: RSS.index("<item><title>Media")]).candidates] == [
        "Fork & pin",
        "Without a date",
    ]


def test_a_feed_of_100_mb(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not read beyond the limit, whether its length is announced or not."""
    body = b"<rss>" + b" " * 100_000_000
    assert reason(read_feed(body)) == "TooLarge"
    assert reason(read_feed(body, Content_Length=str(len(body)))) == "TooLarge"


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """Return 256 MB of zeros in 256 kB."""
    compressor = zlib.compressobj(wbits=31)
    return b"".join(compressor.compress(bytes(1 << 20)) for _ in range(256)) + compressor.flush()


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "deflate"])
def test_a_bomb_is_not_unpacked(
    encoding: str, bomb: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At most one byte more than the limit is unpacked."""
    unpacked: list[int] = []

    class Counting:
        def __init__(self, wbits: int) -> None:
            self._real = REAL(wbits)

        def decompress(self, data: bytes, most: int) -> bytes:
            out = self._real.decompress(data, most)
            unpacked.append(len(out))
            return out

    monkeypatch.setattr(bounded_http.zlib, "decompressobj", Counting)
    assert reason(read_feed(bomb, content_encoding=encoding)) == "TooLarge"
    assert sum(unpacked) == bounded_http.MAX_BODY_BYTES + 1


REAL = zlib.decompressobj


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "x" * 5000])
def test_other_encodings_are_refused(encoding: str) -> None:
    """Each could be a bomb of its own."""
    assert reason(read_feed(RSS, content_encoding=encoding)) == "BadReply"


def test_a_damaged_body() -> None:
    """It says gzip, and is none."""
    assert reason(read_feed(RSS, content_encoding="gzip")) == "BadReply"


@pytest.mark.parametrize(
    ("status", "expected"), [(404, "SourceGone"), (403, "SourceGone"), (500, "SourceFailed")]
)
def test_statuses(status: int, expected: str) -> None:
    """What is gone stays gone."""
    assert reason(read_feed("", status=status)) == expected


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("http://10.0.0.1/feed.xml", "ForbiddenURL"),
        ("file:///etc/passwd", "ForbiddenURL"),
        ("http://user:word@example.org/", "ForbiddenURL"),
        ("http://example.org:22/", "ForbiddenURL"),
        ("/feeds/clips.xml", "SourceFailed"),
    ],
)
def test_redirects_are_checked(location: str, expected: str) -> None:
    """Each target, and how many there are."""
    assert reason(read_feed("", status=302, location=location)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("62", 62_000), ("1:02", 62_000), ("1:00:00", 3_600_000), ("x", None), ("", None), (5, None)],
)
def test_durations(text: Any, expected: int | None) -> None:
    """Of podcasts: seconds, or a clock."""
    assert clock_ms(text) == expected


def test_feedparser_gets_no_name_of_a_file(tmp_path: Path) -> None:
    """Bytes that are a path would be opened by feedparser itself."""
    path = tmp_path / "feed.xml"
    path.write_text(RSS)
    assert reason(read_feed(str(path))) == "NotAFeed"
