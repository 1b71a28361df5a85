"""Options and arguments that several commands share, with their checks."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import BaseModel
from rich.console import Console

from clipmill_cli.output import terminal

View = TypeVar("View", bound=BaseModel)


class Format(StrEnum):
    """Format of the output."""

    TEXT = "text"
    JSON = "json"


def _check_addresses(addresses: list[str]) -> list[str]:
    for address in addresses:
        if not re.fullmatch(r"[^:\s]+:[0-9]{1,5}", address):
            raise typer.BadParameter(f"{address!r} is not HOST:PORT")
    return addresses


def _id_check(letter: str) -> Callable[[Any], Any]:
    """Return a check that refuses malformed ids, since an id becomes a part of a URL path."""

    def check(value: Any) -> Any:
        for identifier in [value] if isinstance(value, str) else value:
            if not re.fullmatch(f"{letter}-[a-z0-9]{{4,40}}", identifier):
                raise typer.BadParameter(
                    f"{identifier[:80]!r} is not of the form {letter}-0123456789abcdef"
                )
        return value

    return check


def _check_name_or_id(value: str) -> str:
    """Refuse what is neither a name nor an id, since an id becomes a part of a URL path."""
    if not re.fullmatch(NAME_OR_ID, value):
        raise typer.BadParameter(
            f"{value[:80]!r} is neither a name nor of the form c-0123456789abcdef"
        )
    return value


NAME_OR_ID = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
CompilationIdArgument = Annotated[
    str,
    typer.Argument(
        metavar="NAME|ID",
        callback=_check_name_or_id,
        help="Compilation by its name, the newest of that name, or by its id, c-...",
    ),
]
MediaIdArgument = Annotated[
    str, typer.Argument(metavar="MEDIA_ID", callback=_id_check("m"), help="Media id, m-...")
]
MediaIdsArgument = Annotated[
    list[str], typer.Argument(metavar="ID...", callback=_id_check("m"), help="Media ids, m-...")
]
NAME_PATTERN = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"


def checked_name(name: str) -> str:
    """Return a name. Raises a usage error if it is none."""
    if not re.fullmatch(NAME_PATTERN, name):
        raise typer.BadParameter(
            f"{name[:80]!r} is no name: a-z, 0-9 and dashes are allowed, 63 characters at most"
        )
    return name


NameArgument = Annotated[
    str,
    typer.Argument(
        metavar="NAME", callback=checked_name, help="Lower-case letters, digits and dashes."
    ),
]
StateOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Folder of the local API's database, media and keys."
        " Default: clipmill/ in the XDG data home.",
    ),
]
AllowHostOption = Annotated[
    list[str],
    typer.Option(metavar="HOST", help="Fetch from this host too. May be repeated."),
]
StrictOption = Annotated[
    bool,
    typer.Option("--strict", help="Refuse an output that is too long for its platform."),
]
AllowAnyHostOption = Annotated[
    bool, typer.Option("--allow-any-host", help="Fetch from any public host.")
]
AllowPrivateOption = Annotated[
    list[str],
    typer.Option(
        metavar="HOST:PORT",
        callback=_check_addresses,
        help="Fetch from this private address too; noted in the plan. May be repeated.",
    ),
]
ManifestArgument = Annotated[
    Path,
    typer.Argument(
        metavar="MANIFEST",
        help="A Compilation in YAML, as for `kubectl apply`, or - for standard input. Its media"
        " may also be local files.",
    ),
]
OutputOption = Annotated[Format, typer.Option("-o", "--output", help="Output format.")]
LimitOption = Annotated[
    int, typer.Option(min=1, max=10_000, help="Maximum number of entries to show.")
]
ApiUrlOption = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        envvar="CLIPMILL_API_URL",
        help="URL of the API; its key is read from CLIPMILL_API_KEY."
        " Default: a local API on the --state folder.",
    ),
]
RequiredApiUrlOption = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        envvar="CLIPMILL_API_URL",
        help="URL of the API; its key is read from CLIPMILL_API_KEY.",
    ),
]
AdminApiUrlOption = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        envvar="CLIPMILL_API_URL",
        help="URL of the API; its key is read from CLIPMILL_ADMIN_KEY.",
    ),
]


def print_json(out: Console, model: BaseModel) -> None:
    """Print a model as the API serializes it."""
    out.file.write(model.model_dump_json(by_alias=True, indent=2) + "\n")


def print_list(
    output: Format, models: list[View], show: Callable[[Console, list[View]], None]
) -> None:
    """Print a list of models: as the API serializes them, or by `show` as text."""
    out = terminal.console()
    if output is Format.TEXT:
        show(out, models)
        return
    texts = [model.model_dump_json(by_alias=True, indent=2) for model in models]
    out.file.write("[" + ",\n".join(texts) + "]\n")
