"""What the commands share: options, and the API they talk to."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from rich.console import Console

from clipmill_cli.local.local_api import Access, LocalAPI, default_state
from clipmill_cli.output import terminal
from clipmill_client.client import Client


class Format(StrEnum):
    """How data is printed."""

    TEXT = "text"
    JSON = "json"


def private(places: list[str]) -> list[str]:
    """Refuse what is not host:port."""
    for place in places:
        if not re.fullmatch(r"[^:\s]+:[0-9]{1,5}", place):
            raise typer.BadParameter(f"{place!r} is not HOST:PORT")
    return places


def _ids(letter: str) -> Callable[[Any], Any]:
    """Refuse what is no id: it becomes a part of an address."""

    def checked(given: Any) -> Any:
        for one in [given] if isinstance(given, str) else given:
            if not re.fullmatch(f"{letter}-[a-z0-9]{{4,40}}", one):
                raise typer.BadParameter(
                    f"{one[:80]!r} is not of the form {letter}-0123456789abcdef"
                )
        return given

    return checked


CompilationId = Annotated[
    str, typer.Argument(metavar="ID", callback=_ids("c"), help="Of the form c-...")
]
MediaIds = Annotated[
    list[str], typer.Argument(metavar="ID...", callback=_ids("m"), help="Of the form m-...")
]
State = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Folder of database, media and keys. Default: under the XDG data home.",
    ),
]
AllowHost = Annotated[
    list[str],
    typer.Option(metavar="HOST", help="Fetch from this host too. May be given more than once."),
]
AllowAnyHost = Annotated[bool, typer.Option("--allow-any-host", help="Fetch from any public host.")]
AllowPrivate = Annotated[
    list[str],
    typer.Option(
        metavar="HOST:PORT",
        callback=private,
        help="Fetch from this private address too; the plan says so.",
    ),
]
ManifestFile = Annotated[
    Path,
    typer.Argument(
        metavar="MANIFEST",
        help="A Compilation, as `kubectl apply` takes it. Here the files that it plays or draws may"
        " also be files of this machine.",
    ),
]
Output = Annotated[Format, typer.Option("-o", "--output", help="How to print.")]
ApiUrl = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        envvar="CLIPMILL_API_URL",
        help="The API; its key is read from CLIPMILL_API_KEY. Default: the local state.",
    ),
]


def access(hosts: list[str], any_host: bool, places: list[str]) -> Access:
    """The options about hosts as one."""
    return Access(tuple(hosts), any_host, tuple(places))


def local(state: Path | None, rules: Access = Access()) -> LocalAPI:
    """The API over the local state."""
    err = terminal.console(stderr=True)
    return LocalAPI(
        state or default_state(os.environ),
        rules,
        on_wait=lambda line: err.print(terminal.plain(line)),
    )


def remote(api_url: str | None) -> Client:
    """The client of an API elsewhere. The key comes from the environment: `ps` shows arguments."""
    if not api_url:
        raise typer.BadParameter(
            "no API is named: set CLIPMILL_API_URL or give --api-url"
            " (`clipmill render` needs none: it renders on this machine)"
        )
    if not re.match(r"https?://[^/\s]+", api_url):
        raise typer.BadParameter(f"--api-url {api_url!r} is not an http or https URL")
    return Client(api_url, key_of("CLIPMILL_API_KEY"))


def administrator(api_url: str | None) -> Client:
    """The client of an administrator, whose key has a variable of its own."""
    if not api_url:
        raise typer.BadParameter("no API is named: set CLIPMILL_API_URL or give --api-url")
    return Client(api_url, key_of("CLIPMILL_ADMIN_KEY"))


def key_of(variable: str) -> str:
    """The key in this environment variable."""
    key = os.environ.get(variable, "").strip()
    if not key:
        raise typer.BadParameter(f"{variable} is not set: it holds your key for the API")
    if not key.isascii() or not key.isprintable():
        raise typer.BadParameter(f"{variable} holds characters that no key has")
    return key


@contextmanager
def connected(
    api_url: str | None, state: Path | None, rules: Access = Access()
) -> Iterator[Client]:
    """A person's client: of the API given, else of the local state."""
    if api_url:
        with remote(api_url) as client:
            yield client
        return
    with local(state, rules) as api:
        yield api.user


def print_json(out: Console, *found: BaseModel, many: bool = False) -> None:
    """Models as the API writes them; one, or a list."""
    texts = [model.model_dump_json(by_alias=True, indent=2) for model in found]
    text = "[" + ",\n".join(texts) + "]" if many else texts[0]
    out.file.write(text + "\n")


@contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C, SIGTERM and a closed terminal end a run tidily; a second one does not disturb it."""
    signs = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def interrupt(*_: object) -> None:
        for sign in signs:
            signal.signal(sign, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {sign: signal.signal(sign, interrupt) for sign in signs}
    try:
        yield
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)
