"""Stand-ins with clips of the past two days and the coming day, for shows that run by the clock."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.sax.saxutils import escape

from fake_sources.fake_discord import FakeDiscord, message, reaction
from fake_sources.fake_helix import Clip, FakeHelix, clip
from fake_sources.replies import Asked, Reply, json_reply

CHANNEL = "112233445566778899"
PAST = timedelta(days=2)
FUTURE = timedelta(days=1)
NEWEST = 50


class LiveWorld:
    """Twitch, Discord, a feed, a list and the files of all clips, of one public address.

    Args:
        public_url: Where clients reach this server; the addresses of all clips begin with it.
        media: A folder of videos. Each clip is one of them, under a name of its own.
        every_s: Seconds from one clip to the next.
    """

    def __init__(
        self,
        public_url: str,
        media: Path | None = None,
        *,
        every_s: float = 30,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._public_url = public_url.rstrip("/")
        self._files = sorted(path for path in media.iterdir() if path.is_file()) if media else []
        self._now = now
        self.counts: dict[str, int] = {}
        clips = self._clips(every_s)
        self.helix = FakeHelix(clips, now=now)
        self.discord = FakeDiscord(now)
        self._messages = [_shared(item) for item in clips]

    def _clips(self, every_s: float) -> list[Clip]:
        start = datetime.fromtimestamp(self._now(), UTC).replace(microsecond=0) - PAST
        # The same clips after a restart, as far as their numbers go.
        chance = random.Random(1)
        return [
            clip(
                i,
                created_at=start + timedelta(seconds=i * every_s),
                url=f"{self._public_url}/media/clip-{i:06d}.mp4",
                view_count=chance.randrange(100_000),
                broadcaster_id=chance.choice(("1001", "1002")),
                video_id="88001",
                vod_offset=int(i * every_s),
            )
            for i in range(int((PAST + FUTURE).total_seconds() / every_s))
        ]

    def respond(self, asked: Asked) -> Reply | None:
        """Return a response, or None if there is nothing at this path."""
        self.counts[asked.path] = self.counts.get(asked.path, 0) + 1
        if asked.path == "/requests":
            return json_reply(200, self.counts)
        if asked.path == "/feed.xml":
            return _document(self._feed(), "application/rss+xml")
        if asked.path == "/list.html":
            return _document(self._list(), "text/html")
        if asked.path.startswith("/media/"):
            return self._file(asked.path)
        self.discord.channels[CHANNEL] = [m for t, m in self._messages if t <= self._now()]
        return self.helix.respond(asked) or self.discord.respond(asked)

    def _newest(self) -> list[Clip]:
        now = datetime.fromtimestamp(self._now(), UTC)
        past = [c for c in self.helix.clips if datetime.fromisoformat(c["created_at"]) <= now]
        return past[: -NEWEST - 1 : -1]

    def _feed(self) -> str:
        items = "".join(
            f"<item><title>{escape(c['title'])}</title><link>{c['url']}</link>"
            f'<enclosure url="{c["url"]}" type="video/mp4" length="0"/>'
            f"<pubDate>{_rfc822(c['created_at'])}</pubDate></item>"
            for c in self._newest()
        )
        head = '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel>'
        return f"{head}<title>Clips</title>{items}</channel></rss>"

    def _list(self) -> str:
        videos = "".join(f'<video src="{c["url"]}"></video>' for c in self._newest())
        return f"<html><head><title>Clips</title></head><body>{videos}</body></html>"

    def _file(self, path: str) -> Reply | None:
        if not self._files:
            return None
        number = int("".join(c for c in Path(path).stem if c.isdecimal()) or 0)
        body = self._files[number % len(self._files)].read_bytes()
        return Reply(status=200, body=body, headers={"Content-Type": "video/mp4"})


def _shared(item: Clip) -> tuple[float, dict[str, object]]:
    written_at = datetime.fromisoformat(item["created_at"])
    hearts = reaction("🔥", item["view_count"] % 9)
    text = f"{item['title']}: {item['url']}"
    return written_at.timestamp(), message(text, written_at=written_at, reactions=[hearts])


def _document(text: str, kind: str) -> Reply:
    return Reply(status=200, body=text.encode(), headers={"Content-Type": kind})


def _rfc822(created_at: str) -> str:
    return datetime.fromisoformat(created_at).strftime("%a, %d %b %Y %H:%M:%S +0000")


def as_json(world: LiveWorld) -> str:
    """Return what a client needs to know."""
    secret = next(iter(world.helix.clients.items()))
    return json.dumps(
        {
            "clientId": secret[0],
            "clientSecret": secret[1],
            "botToken": next(iter(world.discord.tokens)),
            "channel": CHANNEL,
            "games": list(world.helix.games),
            "broadcasters": list(world.helix.users),
        }
    )
