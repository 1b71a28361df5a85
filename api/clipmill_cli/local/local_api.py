"""The API of a local run: in this process, on loopback, with all its state in one folder.

keys.json (0600)   clipmill.db   blobs   jobs/ (scratch and logs)   api.log   lock
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Self

from clipmill.protocol import UserView
from clipmill_cli.local import allocator
from clipmill_client.client import Client
from clipmill_client.errors import PermanentError

if TYPE_CHECKING:
    from clipmill_api.settings import Settings

OWNER = "local"
TIER = "Unlimited"
LEASE_S = 10
"""Short: after a crash the next run takes the parts over this soon. Jobs beat every 2 s."""
START_S = 60
STOP_S = 10


class LocalError(Exception):
    """The local API cannot be had; says why in one line."""


@dataclass(frozen=True, slots=True)
class Access:
    """Where clips may come from in a local run. Nothing given: the API's own list of hosts."""

    hosts: tuple[str, ...] = ()
    any_host: bool = False
    private: tuple[str, ...] = ()


def default_state(environ: Mapping[str, str]) -> Path:
    """The state folder under the XDG data home."""
    home = environ.get("XDG_DATA_HOME", "")
    base = Path(home) if home.startswith("/") else Path.home() / ".local" / "share"
    return base / "clipmill"


class LocalAPI:
    """The API on a free loopback port, while in its `with` block."""

    def __init__(
        self,
        state: Path,
        access: Access = Access(),
        *,
        on_wait: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.state = state.absolute()
        self._access = access
        self._on_wait = on_wait
        self._stack = ExitStack()
        self.url = ""

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.state.mkdir(parents=True, exist_ok=True, mode=0o700)
            stack.enter_context(held(self.state, self._on_wait))
            stack.enter_context(_logging_to(self.state / "api.log"))
            self._keys = _keys(self.state / "keys.json")
            listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            stack.enter_context(served(self._settings(), listening))
            self.operator = stack.enter_context(Client(self.url, self._keys["operator"]))
            self.user = stack.enter_context(self._as_user())
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _settings(self) -> Settings:
        from clipmill_api.settings import DEFAULT_HOSTS, Settings  # noqa: PLC0415

        try:
            return Settings(
                state=self.state,
                admin_key=self._keys.get("admin", ""),
                operator_key=self._keys.get("operator", ""),
                allowed_hosts=(*DEFAULT_HOSTS, *(host.lower() for host in self._access.hosts)),
                allow_any_host=self._access.any_host,
                allow_private=tuple(place.lower() for place in self._access.private),
                lease_s=LEASE_S,
            )
        except ValueError as error:
            raise LocalError(f"{self.state}: {error}") from None

    def _as_user(self) -> Client:
        """The client of the user `local`, who is made at the first start."""
        if "user" in self._keys:
            client = Client(self.url, self._keys["user"])
            if _is_known(client):
                return client
            client.close()
        with Client(self.url, self._keys["admin"]) as admin:
            admin.admin.put_user(UserView(name=OWNER, tier=TIER))
            self._keys["user"] = admin.admin.mint(OWNER)
        _write_keys(self.state / "keys.json", self._keys)
        return Client(self.url, self._keys["user"])


def _is_known(client: Client) -> bool:
    try:
        client.account()
    except PermanentError as error:
        if error.status != 401:
            raise
        return False
    return True


# --- the folder -----------------------------------------------------------------------------------


def _keys(path: Path) -> dict[str, str]:
    """The keys of this state, made at the first start."""
    from clipmill_api.http.authentication import new_key  # noqa: PLC0415

    try:
        known = json.loads(path.read_text())
        return {str(role): str(key) for role, key in known.items()}
    except FileNotFoundError:
        made = {"admin": new_key("admin"), "operator": new_key("operator")}
        _write_keys(path, made)
        return made
    except (ValueError, AttributeError):
        raise LocalError(f"{path} is damaged: delete it, and new keys are made") from None


def _write_keys(path: Path, keys: Mapping[str, str]) -> None:
    """Written beside and moved, so that a crash leaves the old file or the new one."""
    beside = path.with_suffix(".new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(keys, file)
    beside.replace(path)


@contextmanager
def held(state: Path, on_wait: Callable[[str], None], *, as_what: str = "") -> Iterator[None]:
    """One process on one state at a time: the second waits and says for whom."""
    with (state / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            who = file.read().strip() or "?"
            on_wait(f"waiting for process {who}, which uses {state} (--state takes another)")
            fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        file.write(f"{os.getpid()}{as_what}")
        file.flush()
        yield


@contextmanager
def _logging_to(path: Path) -> Iterator[None]:
    """What the API logs goes into a file, not onto the person's screen."""
    handler = logging.FileHandler(path, delay=True)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()


# --- the server -----------------------------------------------------------------------------------


@contextmanager
def served(settings: Settings, listening: socket.socket) -> Iterator[Event]:
    """The API in a thread; the event tells of its end. Raises LocalError: it did not start."""
    # A socket that asyncio did not make itself waits for acknowledgements: 40 ms an answer.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server = _server(_app(settings))
    ended = Event()
    thread = Thread(target=_serve, args=(server, listening, ended), daemon=True)
    thread.start()
    try:
        _wait_started(server, ended, settings.state)
        allocator.loaded()
        yield ended
    finally:
        server.should_exit = True
        thread.join(STOP_S)


def _app(settings: Settings) -> Any:
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    from clipmill_api.http.app import create_app  # noqa: PLC0415

    try:
        return create_app(settings)
    except SQLAlchemyError as error:
        said = str(error).split("\n", 1)[0]
        where = "DATABASE_URL" if settings.database_url else str(settings.state / "clipmill.db")
        raise LocalError(f"{where}: the database cannot be used: {said}") from None


def _server(app: Any) -> Any:
    import uvicorn  # noqa: PLC0415

    config = uvicorn.Config(
        app, log_config=None, access_log=False, timeout_graceful_shutdown=2, lifespan="on"
    )
    return uvicorn.Server(config)


def _serve(server: Any, listening: socket.socket, ended: Event) -> None:
    try:
        server.run(sockets=[listening])
    except SystemExit:
        # uvicorn's word for "could not start"; the reason is in the log.
        sys.stderr.flush()
    finally:
        ended.set()


def _wait_started(server: Any, ended: Event, state: Path) -> None:
    for _ in range(START_S * 50):
        if server.started:
            return
        if ended.wait(0.02):
            break
    raise LocalError(f"the API did not start: see {state / 'api.log'}")
