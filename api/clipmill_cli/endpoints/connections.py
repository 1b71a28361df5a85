"""The API that a command talks to: a remote one, or a local one on the state folder.

In this order: --api-url or CLIPMILL_API_URL; unless --state is given, the API of `clipmill login`;
the `clipmill serve` that uses the state folder; an API in this process on the state folder.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import typer

from clipmill_cli.endpoints.endpoint_files import Endpoint, read_login, running_serve
from clipmill_cli.errors import LocalAPIError
from clipmill_cli.local.local_api import LocalAPI, SourceAccess
from clipmill_cli.local.state_folder import default_state_folder
from clipmill_cli.output import terminal
from clipmill_client.certificate_trust import ApiTrust
from clipmill_client.client import Client
from clipmill_client.errors import ClientError

NO_API = (
    "no API given: set CLIPMILL_API_URL or --api-url, run clipmill login, or start clipmill serve"
)
NO_KEY = "CLIPMILL_API_KEY is not set: it must hold your key for the API, or run clipmill login"


@contextmanager
def local_api(state: Path | None, access: SourceAccess = SourceAccess()) -> Iterator[LocalAPI]:
    """Run a local API on the given or the default state folder."""
    err = terminal.console(stderr=True)
    api = LocalAPI(
        state or default_state_folder(os.environ),
        access,
        on_wait=lambda line: terminal.print_line(err, line),
    )
    with ExitStack() as stack:
        with terminal.working(err, "starting the API of this machine"):
            stack.enter_context(api)
        yield api


def _client(endpoint: Endpoint) -> Client:
    """Return a client that says on a terminal why a request takes long."""
    err = terminal.console(stderr=True)

    def on_retry(error: ClientError, seconds: float) -> None:
        if err.is_terminal:
            terminal.print_line(err, f"{error}; retrying for {seconds:.0f} s")

    client = remote_client(endpoint.url, endpoint.key)
    client.connection.on_retry = on_retry
    return client


def user_client(api_url: str | None) -> Client:
    """Return a client of the API at a URL, of `clipmill login`, or of a running serve."""
    endpoint = _endpoint(api_url, None)
    if endpoint is None:
        raise typer.BadParameter(NO_API)
    return _client(endpoint)


def remote_client(url: str, key: str) -> Client:
    """Return a client that trusts the CAs in CLIPMILL_CA_FILE too, or else those of the login."""
    return Client(url, key, trust=_given_trust() or _stored_trust(url))


def given_authorities() -> str:
    """Return the CAs in the file that CLIPMILL_CA_FILE names, in PEM; nothing if it names none."""
    trust = _given_trust()
    return trust.authorities if trust else ""


def _given_trust() -> ApiTrust | None:
    path = os.environ.get("CLIPMILL_CA_FILE", "").strip()
    try:
        return ApiTrust.of_file(Path(path)) if path else None
    except ValueError as error:
        raise typer.BadParameter(f"CLIPMILL_CA_FILE: {error}") from None


def _stored_trust(url: str) -> ApiTrust | None:
    login = read_login(os.environ)
    if login is None or login.url != url or not login.authorities:
        return None
    return ApiTrust.of_text(login.authorities)


def admin_client(api_url: str | None) -> Client:
    """Return a client of a remote API with the key in CLIPMILL_ADMIN_KEY."""
    return remote_client(checked_url(api_url), key_in("CLIPMILL_ADMIN_KEY"))


def checked_url(api_url: str | None) -> str:
    """Return the URL of an API. Raises a usage error if it is missing or no URL."""
    if not api_url:
        raise typer.BadParameter(NO_API)
    if not re.match(r"https?://[^/\s]+", api_url):
        raise typer.BadParameter(f"--api-url {api_url!r} is not an http or https URL")
    return api_url.rstrip("/")


def key_in(variable: str) -> str:
    """Return the key in a variable; keys are never options, since `ps` shows arguments."""
    key = os.environ.get(variable, "").strip()
    if not key:
        raise typer.BadParameter(f"{variable} is not set: it must hold your key for the API")
    return checked_key(variable, key)


def checked_key(source: str, key: str) -> str:
    """Return a key. Raises a usage error if it cannot be sent in a header."""
    if not key.isascii() or not key.isprintable():
        raise typer.BadParameter(f"{source} contains characters that are not valid in a key")
    return key


def _endpoint(api_url: str | None, state: Path | None) -> Endpoint | None:
    """Return the API to use and its key; none for an API in this process."""
    login = read_login(os.environ)
    if api_url:
        url = checked_url(api_url)
        # A stored key goes to no other address than the one that it was stored for.
        return Endpoint(url, _key(login.key if login and login.url == url else ""))
    if login and state is None:
        return Endpoint(login.url, _key(login.key))
    serve = running_serve(state or default_state_folder(os.environ))
    return Endpoint(serve.url, serve.key or _key("")) if serve else None


def _key(stored: str) -> str:
    if os.environ.get("CLIPMILL_API_KEY", "").strip():
        return key_in("CLIPMILL_API_KEY")
    if not stored:
        raise typer.BadParameter(NO_KEY)
    return stored


@contextmanager
def connected(
    api_url: str | None, state: Path | None, access: SourceAccess = SourceAccess()
) -> Iterator[Client]:
    """Connect to the API that a command talks to; `access` is of one in this process only."""
    endpoint = _endpoint(api_url, state)
    if endpoint:
        with _client(endpoint) as client:
            yield client
        return
    with local_api(state, access) as api:
        yield api.user


def serve_client(state: Path | None, access: SourceAccess) -> Client | None:
    """Return a client of the `clipmill serve` that uses a state folder, if one runs.

    Raises:
        LocalAPIError: `access` names hosts that the running serve was not started with.
    """
    endpoint = running_serve(state or default_state_folder(os.environ))
    if endpoint is None:
        return None
    if access != SourceAccess():
        raise LocalAPIError(
            f"--allow-* and --strict: clipmill serve at {endpoint.url} uses this state;"
            " start it with --allow-*, or choose another --state"
        )
    return _client(Endpoint(endpoint.url, endpoint.key or _key("")))


@contextmanager
def interruptible() -> Iterator[None]:
    """Turn the first SIGINT, SIGTERM or SIGHUP into KeyboardInterrupt and ignore later ones."""
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def interrupt(*_: object) -> None:
        for number in signals:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    previous = {number: signal.signal(number, interrupt) for number in signals}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
