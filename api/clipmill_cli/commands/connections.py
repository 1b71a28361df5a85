"""The API that a command talks to: a remote one, or a local one on the state folder."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from clipmill_cli.local.local_api import LocalAPI, SourceAccess
from clipmill_cli.local.state_folder import default_state_folder
from clipmill_cli.output import terminal
from clipmill_client.client import Client


def local_api(state: Path | None, access: SourceAccess = SourceAccess()) -> LocalAPI:
    """Return a local API on the given or the default state folder."""
    err = terminal.console(stderr=True)
    return LocalAPI(
        state or default_state_folder(os.environ),
        access,
        on_wait=lambda line: err.print(terminal.plain(line)),
    )


def user_client(api_url: str | None) -> Client:
    """Return a client of a remote API with the key in CLIPMILL_API_KEY."""
    return Client(_checked_url(api_url), _key_in("CLIPMILL_API_KEY"))


def admin_client(api_url: str | None) -> Client:
    """Return a client of a remote API with the key in CLIPMILL_ADMIN_KEY."""
    return Client(_checked_url(api_url), _key_in("CLIPMILL_ADMIN_KEY"))


def _checked_url(api_url: str | None) -> str:
    if not api_url:
        raise typer.BadParameter(
            "no API given: set CLIPMILL_API_URL or --api-url; only `clipmill render` needs no API"
        )
    if not re.match(r"https?://[^/\s]+", api_url):
        raise typer.BadParameter(f"--api-url {api_url!r} is not an http or https URL")
    return api_url


def _key_in(variable: str) -> str:
    """Return the key in a variable; keys are never options, since `ps` shows arguments."""
    key = os.environ.get(variable, "").strip()
    if not key:
        raise typer.BadParameter(f"{variable} is not set: it must hold your key for the API")
    if not key.isascii() or not key.isprintable():
        raise typer.BadParameter(f"{variable} contains characters that are not valid in a key")
    return key


@contextmanager
def connected(
    api_url: str | None, state: Path | None, access: SourceAccess = SourceAccess()
) -> Iterator[Client]:
    """Connect to the API at `api_url`, or else to a local API on the state folder."""
    if api_url:
        with user_client(api_url) as client:
            yield client
        return
    with local_api(state, access) as api:
        yield api.user


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
