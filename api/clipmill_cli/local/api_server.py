"""The API as a uvicorn server in a thread of this process."""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from clipmill_cli.errors import LocalAPIError
from clipmill_cli.local import memory_limits

if TYPE_CHECKING:
    from clipmill_api.http.readiness import ReadinessChecks
    from clipmill_api.settings import Settings

log = logging.getLogger(__name__)
START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 10
POLL_INTERVAL_S = 0.02


@contextmanager
def running_server(
    settings: Settings, listening: socket.socket, checks: ReadinessChecks | None = None
) -> Iterator[Event]:
    """Serve the API on a listening socket; the event is set when the server ends by itself.

    Args:
        settings: The API's settings.
        listening: The socket.
        checks: Further checks of /readyz, by name.

    Raises:
        LocalAPIError: the server did not start.
    """
    # asyncio sets TCP_NODELAY only on sockets that it creates: without it a response takes 40 ms.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    app = _create_app(settings)
    app.state.readiness_checks |= checks or {}
    server = _create_server(app)
    ended = Event()
    thread = Thread(target=_run, args=(server, listening, ended), daemon=True)
    thread.start()
    try:
        _wait_until_started(server, ended, settings.state)
        memory_limits.freeze_loaded_objects()
        yield ended
        _apply_retention(app)
    finally:
        server.should_exit = True
        thread.join(STOP_TIMEOUT_S)


def _create_app(settings: Settings) -> Any:
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    from clipmill_api.errors import StartRefused  # noqa: PLC0415
    from clipmill_api.http.app import create_app  # noqa: PLC0415

    try:
        return create_app(settings)
    except StartRefused as error:
        raise LocalAPIError(str(error)) from None
    except SQLAlchemyError as error:
        reason = str(error).split("\n", 1)[0]
        source = "DATABASE_URL" if settings.database_url else str(settings.state / "clipmill.db")
        raise LocalAPIError(f"{source}: cannot use the database: {reason}") from None


def _apply_retention(app: Any) -> None:
    """Delete what has expired: a local API rarely lives until the hourly run."""
    from clipmill_api.media.retention import sweep  # noqa: PLC0415

    try:
        sweep(app.state.context)
    except Exception:
        log.exception("sweep failed")


def _create_server(app: Any) -> Any:
    import uvicorn  # noqa: PLC0415

    from clipmill_api.responsiveness import keep_responsive  # noqa: PLC0415

    keep_responsive()
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=2,
        lifespan="on",
        proxy_headers=False,
    )
    return uvicorn.Server(config)


def _run(server: Any, listening: socket.socket, ended: Event) -> None:
    try:
        server.run(sockets=[listening])
    except SystemExit:
        # uvicorn raises this when it cannot start; the reason is in the log.
        sys.stderr.flush()
    finally:
        ended.set()


def _wait_until_started(server: Any, ended: Event, state: Path) -> None:
    for _ in range(round(START_TIMEOUT_S / POLL_INTERVAL_S)):
        if server.started:
            return
        if ended.wait(POLL_INTERVAL_S):
            break
    raise LocalAPIError(f"the API did not start; see {state / 'api.log'}")
