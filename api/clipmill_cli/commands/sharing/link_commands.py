"""`links ...`: links by which anybody can read an output until they end."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from clipmill.protocol import ShareLink
from clipmill.protocol.compilation_views import MAX_SHARE_S
from clipmill_cli.commands.admin_commands import parse_lifetime
from clipmill_cli.commands.options import (
    ApiUrlOption,
    CompilationIdArgument,
    Format,
    OutputOption,
    StateOption,
    print_json,
    print_list,
)
from clipmill_cli.endpoints.connections import connected
from clipmill_cli.output import listings, terminal
from clipmill_client import watching
from clipmill_client.client import Client


def create(
    compilation_id: CompilationIdArgument,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="An output, such as main, or main.jpg.")
    ],
    expires: Annotated[
        str, typer.Option(metavar="TIME", help="Time until it ends: 90m, 12h, 7d at most.")
    ] = "1h",
    output: OutputOption = Format.TEXT,
    state: StateOption = None,
    api_url: ApiUrlOption = None,
) -> None:
    """Create a link to an output, which plays without a key until it ends or is revoked.

    Examples:
        clipmill links create friday main --expires 1d
    """
    seconds = parse_lifetime(expires) or 0
    if not 1 <= seconds <= MAX_SHARE_S:
        raise typer.BadParameter(f"--expires {expires[:40]!r} is not between 1s and 7d")
    with connected(api_url, state) as client:
        view = watching.find_compilation(client, compilation_id)
        link = _absolute(client, client.results.share(view.id, file, seconds=seconds))
    if output is Format.JSON:
        print_json(terminal.console(), link)
    else:
        typer.echo(link.url)


def list_links(
    compilation_id: CompilationIdArgument,
    output: OutputOption = Format.TEXT,
    state: StateOption = None,
    api_url: ApiUrlOption = None,
) -> None:
    """List the links to files of a compilation that still work.

    Examples:
        clipmill links list friday
    """
    with connected(api_url, state) as client:
        view = watching.find_compilation(client, compilation_id)
        links = [_absolute(client, link) for link in client.results.links(view.id)]
    print_list(output, links, listings.show_links)


def revoke(
    compilation_id: CompilationIdArgument,
    link_ids: Annotated[list[str], typer.Argument(metavar="LINK...", help="Ids of links, l-...")],
    state: StateOption = None,
    api_url: ApiUrlOption = None,
) -> None:
    """End links at once.

    Examples:
        clipmill links revoke friday l-0123456789abcdef
    """
    for link_id in link_ids:
        if not re.fullmatch(r"l-[a-z0-9]{4,40}", link_id):
            raise typer.BadParameter(f"{link_id[:80]!r} is not of the form l-0123456789abcdef")
    with connected(api_url, state) as client:
        view = watching.find_compilation(client, compilation_id)
        for link_id in link_ids:
            client.results.revoke_link(view.id, link_id)
            terminal.console().print(terminal.plain(f"revoked {link_id}"))


def _absolute(client: Client, link: ShareLink) -> ShareLink:
    """Return a link with the address of the API, where the API does not know its public one."""
    url = client.connection.url + link.url if link.url.startswith("/") else link.url
    return link.model_copy(update={"url": url})
