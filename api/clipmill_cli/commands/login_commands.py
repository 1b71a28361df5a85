"""`login`, `logout` and `dashboard`: a stored address and key, and a link for a browser."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import Annotated

import typer

from clipmill.protocol import Account
from clipmill_cli.commands.options import RequiredApiUrlOption
from clipmill_cli.endpoints.connections import (
    checked_key,
    checked_url,
    given_authorities,
    remote_client,
    user_client,
)
from clipmill_cli.endpoints.endpoint_files import Endpoint, login_file, store_login
from clipmill_cli.output import terminal


def login(
    url: Annotated[str, typer.Argument(metavar="URL", help="URL of the API.")],
) -> None:
    """Store the address of an API and your key for it, so that other commands use them.

    The key is asked for, or read from standard input, and checked by the API. Both are stored in
    clipmill/login.json of the XDG configuration home, which only you can read, with the CAs of the
    file that CLIPMILL_CA_FILE names. The key is sent to this address only; CLIPMILL_API_URL,
    CLIPMILL_API_KEY, CLIPMILL_CA_FILE and --state are preferred.

    Examples:
        clipmill login http://127.0.0.1:8000 <key.txt
    """
    endpoint = Endpoint(checked_url(url), _entered_key())
    with remote_client(endpoint.url, endpoint.key) as client:
        account: Account = client.account()
    path = store_login(os.environ, replace(endpoint, authorities=given_authorities()))
    line = f"logged in as {account.owner} ({account.tier}); stored in {path}"
    terminal.console().print(terminal.plain(line, 500))


def _entered_key() -> str:
    if sys.stdin.isatty():
        return checked_key("the key", str(typer.prompt("key", hide_input=True)).strip())
    key = sys.stdin.readline().strip()
    if not key:
        raise typer.BadParameter("standard input has no key: run clipmill login URL <key.txt")
    return checked_key("the key", key)


def logout() -> None:
    """Delete the stored address and key. The key itself remains valid.

    Examples:
        clipmill logout
    """
    path = login_file(os.environ)
    existed = path.exists()
    path.unlink(missing_ok=True)
    typer.echo("logged out" if existed else "there was no stored login")


def dashboard(api_url: RequiredApiUrlOption = None) -> None:
    """Print a link that opens the dashboard and signs the browser in, once, within 15 minutes.

    The browser then holds a key that expires after 12 hours.

    Examples:
        clipmill dashboard
    """
    with user_client(api_url) as client:
        typer.echo(client.sign_in.url())
