"""Send a message to a chat or by mail through Apprise, in a process of its own.

Apprise connects by itself. Each of its connections is checked by an audit hook, after name
resolution, which would hold for the whole API if it were not in another process.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import Collection
from typing import Any

from clipmill.network_ranges import is_public
from clipmill_api.notifications.webhook_transport import Attempt

TIMEOUT_S = 45.0
PORTS = (25, 80, 443, 465, 587, 2525)
COMMAND = (sys.executable, "-I", "-m", "clipmill_api.notifications.apprise_process")


async def send_by_apprise(url: str, body: str, private: Collection[str]) -> Attempt:
    """Send the text of a notification and return the result.

    Args:
        url: Apprise address, passed on standard input.
        body: JSON of the notification.
        private: Pairs of `host:port` that may be private.
    """
    request = {"url": url, "private": list(private), **_text_of(json.loads(body))}
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={},
    )
    try:
        async with asyncio.timeout(TIMEOUT_S):
            out, _ = await process.communicate(json.dumps(request).encode())
    except TimeoutError:
        return Attempt(None, f"the service did not accept the message within {TIMEOUT_S:.0f} s")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    error = out.decode(errors="replace").strip() or "the service did not accept the message"
    return Attempt(None, None if process.returncode == 0 else error[:200])


def _text_of(event: dict[str, Any]) -> dict[str, str]:
    """Return title and text of a message to people."""
    data = event["data"]
    title = f"{data.get('name') or data.get('show') or data.get('quota') or ''}: {event['type']}"
    lines = [f"{name}: {data[name]}" for name in ("state", "reason", "message") if data.get(name)]
    lines += [f"{output['name']}: {output['url']}" for output in data.get("outputs") or ()]
    return {"title": title.removeprefix(": "), "text": "\n".join(lines) or event["type"]}


class ConnectionGuard:
    """An audit hook that allows public addresses at ports of web and mail; keeps the refusal."""

    def __init__(self, private: Collection[str]) -> None:
        self._private = frozenset(private)
        self.refused = ""

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Check an audit event. Raises OSError."""
        if event == "subprocess.Popen":
            self._refuse("a program was started")
        if event == "socket.connect":
            self._check(arguments[0].family, arguments[1])

    def _check(self, family: int, address: Any) -> None:
        if family not in (socket.AF_INET, socket.AF_INET6):
            self._refuse("only internet addresses are allowed")
        host, port = str(address[0]), int(address[1])
        if f"{host}:{port}" in self._private:
            return
        if not is_public(host) or port not in PORTS:
            self._refuse("the host resolves to a private address, or its port is not allowed")

    def _refuse(self, reason: str) -> None:
        self.refused = self.refused or reason
        raise OSError(reason)


def main() -> int:
    """Read the request from standard input and send the message. Return the exit code."""
    request = json.load(sys.stdin)
    # Its import starts programs to learn about the system, which the hook would refuse.
    import apprise  # noqa: PLC0415

    guard = ConnectionGuard(request["private"])
    sys.addaudithook(guard)
    service = apprise.Apprise()
    if not service.add(request["url"]):
        sys.stdout.write("the Apprise address is not valid")
        return 1
    if service.notify(body=request["text"], title=request["title"]):
        return 0
    sys.stdout.write(guard.refused)
    return 1


if __name__ == "__main__":
    sys.exit(main())
