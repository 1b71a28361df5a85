"""What the commands share: options, the API they talk to, and how errors are said."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from pydantic import BaseModel
from rich.console import Console
from typer.core import TyperGroup

from clipmill_client import show
from clipmill_client.client import Client
from clipmill_client.errors import ClientError
from clipmill_client.local import Access, LocalAPI, LocalError, default_state
from clipmill_client.manifest import ManifestError
from clipmill_client.rendering import refused_code
from clipmill_client.runner import RunError
from clipmill_probe import MediaError


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


State = Annotated[
    Path | None,
    typer.Option(help="Folder of database, media and keys. Default: under the XDG data home."),
]
AllowHost = Annotated[
    list[str], typer.Option(help="Fetch from this host too. May be given more than once.")
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
        help="A Compilation, as `kubectl apply` takes it. Here a clip's url (and that of intro and"
        " outro) may also be a file of this machine.",
    ),
]
Output = Annotated[Format, typer.Option("-o", "--output", help="How to print.")]
ApiUrl = Annotated[
    str | None,
    typer.Option(
        envvar="CLIPMILL_API_URL",
        help="The API; its key is read from CLIPMILL_API_KEY. Default: the local state.",
    ),
]


def access(hosts: list[str], any_host: bool, places: list[str]) -> Access:
    """The options about hosts as one."""
    return Access(tuple(hosts), any_host, tuple(places))


def local(state: Path | None, rules: Access = Access()) -> LocalAPI:
    """The API over the local state."""
    err = show.console(stderr=True)
    return LocalAPI(
        state or default_state(os.environ), rules, on_wait=lambda line: err.print(show.plain(line))
    )


def remote(api_url: str) -> Client:
    """The client of an API elsewhere. The key comes from the environment: `ps` shows arguments."""
    key = os.environ.get("CLIPMILL_API_KEY", "")
    if not key:
        raise typer.BadParameter("CLIPMILL_API_KEY is not set: it holds your key for --api-url")
    if not re.match(r"https?://[^/\s]+", api_url):
        raise typer.BadParameter(f"--api-url {api_url!r} is not an http or https URL")
    return Client(api_url, key)


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
    """SIGTERM and a closed terminal end a run as Ctrl-C does: tidily."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = {sign: signal.signal(sign, interrupt) for sign in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)


# --- errors ---------------------------------------------------------------------------------------


class Fault(NamedTuple):
    """What a person reads of an error, and the exit code."""

    lines: tuple[str, ...]
    code: int


def fault(error: BaseException) -> Fault | None:
    """One line and an exit code for each error that can be foreseen."""
    if isinstance(error, KeyboardInterrupt):
        return Fault(("interrupted; the same command goes on from what is finished",), 130)
    if isinstance(error, ManifestError):
        return Fault(error.lines, 2)
    if isinstance(error, ClientError):
        return Fault((f"{error} [{error.code}]",), refused_code(error))
    if isinstance(error, MediaError):
        return Fault((f"{error} [{error.code}]",), 1)
    if isinstance(error, LocalError | RunError):
        return Fault((str(error),), 1)
    if isinstance(error, ModuleNotFoundError):
        said = f"{error.name} is not installed: pip install 'clipmill[local]' has all it takes"
        return Fault((said,), 1)
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return Fault((f"{where}{error.strerror.lower()}",), 1)
    return None


def say(lines: tuple[str, ...]) -> None:
    """Error lines on stderr."""
    err = show.console(stderr=True)
    for line in lines:
        err.print(show.plain(f"clipmill: {line}", 1000), soft_wrap=True)


class Guarded(TyperGroup):
    """Turns foreseen errors into one line and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort):
            raise
        except (Exception, KeyboardInterrupt) as error:
            known = fault(error)
            if known is None:
                raise
            say(known.lines)
            raise typer.Exit(known.code) from None
