"""Play Twitch, and a receiver of notifications, by a container outside the cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from cluster import names, world

# Another address of the range for documentation.
ADDRESS = "203.0.113.11"
URL = f"http://{ADDRESS}"
URLS = [f"twitch={URL}/helix", f"twitch-auth={URL}/oauth2"]
CLIENT_ID, CLIENT_SECRET = "clientoftests", "secretoftestsontheouterserver"
# Every minute has another clip, so that each episode finds new ones.
SERVE = (
    world.ADDRESSES
    + f"""
import datetime, json
from fake_sources.fake_helix import FakeHelix, clip
from fake_sources.replies import Reply
from fake_sources.serving import FakeServer
start = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=2)
def clips():
    for number in range(600):
        url = f"http://{world.PUBLIC}/{{number}}/twitch/bars.mp4"
        created_at = start + datetime.timedelta(minutes=number)
        yield clip(number, created_at=created_at, url=url, duration=3.0)
def receive(asked):
    if not asked.path.startswith("/hooks/"):
        return None
    content = {{"path": asked.path, "headers": dict(asked.headers), "body": asked.body.decode()}}
    print(json.dumps(content), flush=True)
    return Reply(status=204, body=b"")
helix = FakeHelix(list(clips()))
helix.clients = {{"{CLIENT_ID}": "{CLIENT_SECRET}"}}
FakeServer(("", 80), [helix.respond, receive]).serve_forever()
"""
)


class Delivery(NamedTuple):
    """One notification as it arrived."""

    path: str
    headers: dict[str, str]
    body: str

    def content(self) -> dict[str, Any]:
        """Return the body as JSON."""
        content: dict[str, Any] = json.loads(self.body)
        return content


@contextmanager
def platforms() -> Iterator[str]:
    """Run the container and yield its name."""
    fakes = names.ROOT / "tests/fake_sources"
    arguments = ("-v", f"{fakes}:/fakes/fake_sources:ro", "-e", "PYTHONPATH=/fakes")
    with world.container("platforms", SERVE, (ADDRESS,), arguments) as name:
        yield name


def deliveries(name: str) -> list[Delivery]:
    """Return the notifications that have arrived, in their order."""
    lines = [line for line in world.printed(name) if line.startswith('{"path"')]
    return [Delivery(**json.loads(line)) for line in lines]
