"""Serve all stand-ins: PYTHONPATH=tests python -m fake_sources --public-url http://HOST:PORT."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from fake_sources.live_world import LiveWorld, as_json
from fake_sources.serving import FakeServer


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(prog="fake_sources", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8099)
    parser.add_argument("--public-url", help="where clients reach this server")
    parser.add_argument("--media", type=Path, help="a folder of videos that the clips are")
    parser.add_argument("--every", type=float, default=30, help="seconds from clip to clip")
    options = parser.parse_args()
    server = FakeServer((options.host, options.port), ())
    public_url = options.public_url or f"http://{options.host}:{server.server_address[1]}"
    world = LiveWorld(public_url, options.media, every_s=options.every)
    server.responders = (world.respond,)
    sys.stdout.write(f"{public_url} {as_json(world)}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
