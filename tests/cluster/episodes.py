"""Apply Shows on the cluster, and wait for their episodes."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from cluster import world
from cluster.compilations import SMALL, Video
from cluster.kubectl import Object, apply, find, get, kubectl, until
from cluster.release import VIDEOS

EVERY_MINUTE = "* * * * *"
# A scheduled time, a pod, and a machine with other work.
STARTS_S = 240


def next_minute(after_s: float = 15.0) -> str:
    """Return the schedule of the next full minute after some seconds: one episode, then none."""
    time = datetime.now(UTC) + timedelta(seconds=after_s + 60)
    return f"{time.minute} {time.hour} * * *"


class Show:
    """One Show of every minute, whose feed has clips that no other show plays."""

    def __init__(self, name: str, outside: Path, *, clips: int = 1) -> None:
        self.id = uuid.uuid4().hex[:6]
        self.name, self._outside = f"{name}-{self.id}", outside
        self.feed_hold, self.clip_hold = f"held-feed-{self.id}", f"held-clip-{self.id}"
        self.spec: Object = {}
        urls = [
            f"http://{world.PUBLIC}/{self.id}-{i}/{self.clip_hold}/bars.mp4" for i in range(clips)
        ]
        (outside / f"feed-{self.id}.xml").write_text(feed(urls))

    @property
    def source(self) -> Object:
        """The feed, which responds once it is released."""
        return {"feed": {"url": f"http://{world.PUBLIC}/{self.feed_hold}/feed-{self.id}.xml"}}

    def release_feed(self) -> None:
        """Let the feed respond."""
        (self._outside / self.feed_hold).touch()

    def release_clips(self) -> None:
        """Let the clips of the feed be fetched."""
        (self._outside / self.clip_hold).touch()

    def apply(self, **spec: Any) -> Show:
        """Apply the Show with these fields changed."""
        usual = {
            "schedule": EVERY_MINUTE,
            "sources": [self.source],
            "template": {"title": "${show} ${number}", "outputs": [SMALL]},
        }
        self.spec = {**(self.spec or usual), **spec}
        apply(
            {
                "apiVersion": "clipmill.dev/v1alpha1",
                "kind": "Show",
                "metadata": {"name": self.name, "namespace": VIDEOS},
                "spec": self.spec,
            }
        )
        return self

    def get(self) -> Object:
        """Return the resource."""
        resource: Object = get(f"show/{self.name}", VIDEOS)
        return resource

    def status(self) -> Object:
        """Return the status."""
        status: Object = self.get().get("status") or {}
        return status

    def condition(self, kind: str = "Ready") -> tuple[str, str]:
        """Return status and reason of a condition, or two empty texts."""
        for condition in self.status().get("conditions") or []:
            if condition["type"] == kind:
                return condition["status"], condition["reason"]
        return "", ""

    def episode(self, *states: str) -> Object:
        """Wait until the newest episode has one of these states, and return its summary."""

        def summary() -> Object | None:
            last: Object = self.status().get("lastEpisode") or {}
            return last if last.get("state") in states else None

        try:
            return until(f"an episode of {self.name} that is {states}", summary, limit_s=STARTS_S)
        except AssertionError as error:
            description = kubectl("describe", "show", self.name, "-n", VIDEOS)
            raise AssertionError(f"{error}\n{description}") from None

    def videos(self) -> list[Object]:
        """Return the Compilations of its episodes, oldest first."""
        found = get("compilations", VIDEOS, "-l", f"clipmill.dev/show={self.name}")
        return sorted(found, key=lambda item: item["metadata"]["annotations"][SCHEDULED_AT])

    def video(self) -> Video:
        """Wait for the first Compilation and return it."""
        first = until(f"a Compilation of {self.name}", self.videos, limit_s=STARTS_S)[0]
        video = Video("unused")
        video.name, video.uid = first["metadata"]["name"], first["metadata"]["uid"]
        return video

    def jobs(self) -> list[Object]:
        """Return the Jobs of its discover stage."""
        jobs: list[Object] = get("jobs", VIDEOS, "-l", f"clipmill.dev/show={self.name}")
        return jobs

    def discovering(self) -> Object:
        """Wait for a running discover pod and return it."""

        def running() -> Object | None:
            pods = get("pods", VIDEOS, "-l", f"clipmill.dev/show={self.name}")
            return next((pod for pod in pods if pod["status"].get("phase") == "Running"), None)

        return until(f"a discover pod of {self.name}", running, limit_s=STARTS_S)

    def delete(self) -> None:
        """Delete the Show."""
        quick = ("--ignore-not-found", "--timeout=60s")
        kubectl("delete", "show", self.name, "-n", VIDEOS, *quick)

    def is_gone(self) -> bool:
        """Return whether nothing of it is left in the cluster."""
        return find("show", VIDEOS, self.name) is None and not self.videos() and not self.jobs()


SCHEDULED_AT = "clipmill.dev/scheduled-at"


def feed(urls: list[str]) -> str:
    """Return an RSS feed whose entries were published now."""
    date = format_datetime(datetime.now(UTC))
    items = "".join(
        f"<item><title>Clip {i}</title><guid>{url}</guid><pubDate>{date}</pubDate>"
        f'<enclosure url="{url}" type="video/mp4" length="1"/></item>'
        for i, url in enumerate(urls)
    )
    head = "<title>clips</title><link>http://example.org</link><description/>"
    return f'<?xml version="1.0"?><rss version="2.0"><channel>{head}{items}</channel></rss>'
