"""Read the entries of an RSS or Atom feed."""

from __future__ import annotations

import html
import io
import re
from calendar import timegm
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urljoin

import feedparser

from clipmill.shows.candidates import ClipCandidate
from clipmill_job.discovering.candidate_fields import (
    NAME_CHARS,
    TITLE_CHARS,
    candidate,
    count,
    is_video_file,
    line,
    milliseconds,
    moment,
)
from clipmill_job.discovering.source_errors import SourceError
from clipmill_job.discovering.source_reader import ReaderTools, SourceNote, SourceTask

MAX_REDIRECTS = 5
ACCEPT = "application/atom+xml, application/rss+xml, application/xml;q=0.9, */*;q=0.1"
# What may stand before the first element: no DOCTYPE, since it can define entities.
_PROLOG = re.compile(rb"(?:\s|<\?[^>]{0,1000}\?>|<!--(?:(?!-->).){0,100000}-->)*", re.DOTALL)
_ROOT = re.compile(rb"<(?:[a-z0-9_.-]{1,20}:)?(rss|feed|rdf)[\s>/]", re.IGNORECASE)
_ENCODING = re.compile(rb"<\?xml[^>]{0,200}encoding\s*=\s*[\"']([^\"']{0,40})", re.IGNORECASE)
# Encodings in which the characters of markup are those of ASCII.
_PLAIN_ENCODING = re.compile(
    rb"utf-?(8|16|16le|16be)|us-ascii|iso-8859-[0-9]{1,2}|windows-125[0-9]"
)
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def read(task: SourceTask, tools: ReaderTools) -> Iterator[ClipCandidate | SourceNote]:
    """Yield entries with an enclosure or a link; see `SourceReader`."""
    source, field = task.query.query.feed, task.field("url")
    if source is None:
        return
    headers = {"Accept": ACCEPT}
    reply = tools.http.send("GET", source.url, headers=headers, redirects=MAX_REDIRECTS)
    if reply.status != 200:
        gone = reply.status in (401, 403, 404, 410)
        reason = "SourceGone" if gone else "SourceFailed"
        raise SourceError(reason, f"{field}: the feed's server responded {reply.status}")
    content_type = reply.headers.get("content-type", "")
    feed = parse_feed(reply.body, url=reply.url, content_type=content_type, field=field)
    for entry in feed.entries[: source.most]:
        clip = _candidate(entry, feed, task, reply.url)
        if clip:
            yield clip


def parse_feed(
    body: bytes, *, url: str, content_type: str = "", field: str = "url"
) -> feedparser.FeedParserDict:
    """Return the entries of a feed.

    Args:
        body: The feed.
        url: Its address, to which relative links belong.
        content_type: Its media type with the charset.
        field: The field that an error names.

    Raises:
        SourceError: It has a DOCTYPE, or it is no feed.
    """
    check_markup(body, field)
    charset = content_type.partition("charset=")[2].strip("\"' ").encode("ascii", "replace")
    if charset and not _PLAIN_ENCODING.fullmatch(charset.lower()):
        content_type = "application/xml"
    headers = {"content-location": url, "content-type": content_type or "application/xml"}
    # A stream: bytes that are the name of a file would be opened.
    feed = feedparser.parse(io.BytesIO(body), response_headers=headers, sanitize_html=False)
    if not feed.entries and not feed.version:
        raise SourceError("NotAFeed", f"{field}: the document is no RSS or Atom feed")
    return feed


def check_markup(body: bytes, field: str) -> None:
    """Check what stands before the first element. Raises SourceError."""
    for bom in _BOMS:
        body = body.removeprefix(bom)
    # UTF-16 without its zero bytes is ASCII, as far as markup goes.
    start = body[:200_000].replace(b"\0", b"")
    encoding = _ENCODING.match(start.lstrip())
    if encoding and not _PLAIN_ENCODING.fullmatch(encoding[1].lower()):
        shown = encoding[1].decode("ascii", "replace")
        raise SourceError("NotAFeed", f"{field}: the feed's encoding {shown!r} is not supported")
    prolog = _PROLOG.match(start)
    after = start[prolog.end() :] if prolog else start
    if re.match(rb"<!(doctype|entity|\[)", after, re.IGNORECASE) and not _is_html(after):
        rule = "a feed with a DOCTYPE is not read, since it can define entities"
        raise SourceError("DoctypeRefused", f"{field}: {rule}")
    if not _ROOT.match(after):
        raise SourceError("NotAFeed", f"{field}: the document is no RSS or Atom feed")


def _is_html(start: bytes) -> bool:
    return re.match(rb"<!doctype\s+html", start, re.IGNORECASE) is not None


def _candidate(entry: Any, feed: Any, task: SourceTask, base: str) -> ClipCandidate | None:
    url, duration = _address(entry, base)
    return candidate(
        url,
        source=task.query.source,
        private=task.allowed_private,
        title=_title(entry),
        creator=line(entry.get("author") or feed.feed.get("author"), NAME_CHARS),
        language=line(feed.feed.get("language"), 10),
        views=count((entry.get("media_statistics") or {}).get("views")),
        duration_ms=duration or clock_ms(entry.get("itunes_duration")),
        created_at=_published_at(entry),
    )


def _title(entry: Any) -> str | None:
    title = str(entry.get("title") or "")
    if (entry.get("title_detail") or {}).get("type") != "text/plain":
        title = html.unescape(re.sub(r"<[^>]*>", "", title))
    return line(title, TITLE_CHARS)


def _address(entry: Any, base: str) -> tuple[str, int | None]:
    """Return the address of a video, else of the entry's page, and the duration if it is stated."""
    files = [*entry.get("enclosures", []), *entry.get("media_content", [])]
    for file in files:
        address = str(file.get("href") or file.get("url") or "")
        is_video = str(file.get("type") or file.get("medium") or "").startswith("video")
        if address and (is_video or is_video_file(address)):
            return urljoin(base, address), milliseconds(file.get("duration"))
    page = str(entry.get("link") or "")
    return urljoin(base, page) if page else "", None


def _published_at(entry: Any) -> datetime | None:
    parsed = entry.get("published_parsed") or entry.get("updated_parsed")
    try:
        return moment(timegm(parsed)) if parsed else None
    except (ValueError, OverflowError):
        return None


def clock_ms(text: Any) -> int | None:
    """Return a duration such as `1:02:03`, `2:03` or `123` in milliseconds, or None."""
    if not isinstance(text, str) or not re.fullmatch(r"([0-9]{1,4}:){0,2}[0-9]{1,6}", text.strip()):
        return None
    seconds = 0
    for number in text.strip().split(":"):
        seconds = seconds * 60 + int(number)
    return seconds * 1000
