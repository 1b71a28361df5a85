"""`shows ...` and `approve`: shows of an API, and their drafts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clipmill.shows.show_messages import ShowView
from clipmill_cli.commands.options import (
    ApiUrlOption,
    CompilationIdArgument,
    Format,
    LimitOption,
    OutputOption,
    RequiredApiUrlOption,
    StateOption,
    print_json,
    print_list,
)
from clipmill_cli.endpoints.connections import connected, user_client
from clipmill_cli.errors import RunError
from clipmill_cli.local.prepared_manifest import PreparedShow
from clipmill_cli.output import show_listings, terminal
from clipmill_client import watching
from clipmill_client.client import Client

ShowNameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="Name of the show, or its id, s-...")
]


def submit_show(prepared: PreparedShow, output: Format, api_url: str | None) -> None:
    """Create a show in an API, or replace the spec of the one with its name."""
    with user_client(api_url) as client:
        show = prepared.upload(client)
        name = show.metadata.name
        stored = [each for each in client.shows.all() if each.name == name and each.uid is None]
        if stored:
            view = client.shows.edit(stored[0].id, show.spec)
        else:
            view = client.shows.create(name, show.spec)
    _print_show(view, output)


def list_shows(
    output: OutputOption = Format.TEXT, state: StateOption = None, api_url: ApiUrlOption = None
) -> None:
    """List shows, by name.

    Examples:
        clipmill shows list
    """
    with connected(api_url, state) as client:
        shows = client.shows.all()
    print_list(output, shows, show_listings.show_shows)


def get_show(
    name: ShowNameArgument,
    output: OutputOption = Format.TEXT,
    state: StateOption = None,
    api_url: ApiUrlOption = None,
) -> None:
    """Show the state of one show: its schedule, next time and newest episode.

    Examples:
        clipmill shows get chess-weekly
    """
    with connected(api_url, state) as client:
        show = _find(client, name)
    _print_show(show, output)


def _print_show(show: ShowView, output: Format) -> None:
    if output is Format.JSON:
        print_json(terminal.console(), show)
    else:
        show_listings.show_show(terminal.console(), show)


def _find(client: Client, name: str) -> ShowView:
    """Return the show of a name or id."""
    shows = [show for show in client.shows.all() if name in (show.name, show.id)]
    if len(shows) == 1:
        return shows[0]
    if not shows:
        raise RunError(f"there is no show {name[:80]!r}: see `clipmill shows list`")
    ids = ", ".join(f"{show.id} (namespace {show.namespace})" for show in shows)
    raise RunError(f"{len(shows)} shows are named {name!r}; give the id: {ids}")


def episodes(
    name: ShowNameArgument,
    limit: LimitOption = 20,
    output: OutputOption = Format.TEXT,
    state: StateOption = None,
    api_url: ApiUrlOption = None,
) -> None:
    """List the episodes of a show, newest first, with the reasons of those without a video.

    Examples:
        clipmill shows episodes chess-weekly
    """
    with connected(api_url, state) as client:
        views = client.shows.episodes(_find(client, name).id, limit=min(limit, 200))
    print_list(output, views, show_listings.show_episodes)


def run_show(
    name: ShowNameArgument,
    output: OutputOption = Format.TEXT,
    api_url: RequiredApiUrlOption = None,
) -> None:
    """Start an episode of a show at once, beside its schedule.

    Examples:
        clipmill shows run chess-weekly
    """
    with user_client(api_url) as client:
        episode = client.shows.run(_find(client, name).id)
    if output is Format.JSON:
        print_json(terminal.console(), episode)
    else:
        show_listings.show_episodes(terminal.console(), [episode])


def suspend(
    name: ShowNameArgument,
    output: OutputOption = Format.TEXT,
    state: StateOption = None,
    api_url: ApiUrlOption = None,
) -> None:
    """Suspend a show: it starts no new episodes.

    A show of a cluster is suspended by its resource: `kubectl patch`.

    Examples:
        clipmill shows suspend chess-weekly
    """
    _set_suspended(name, True, output, state, api_url)


def resume(
    name: ShowNameArgument,
    output: OutputOption = Format.TEXT,
    state: StateOption = None,
    api_url: ApiUrlOption = None,
) -> None:
    """Resume a suspended show; the newest missed time starts if startingDeadlineSeconds allows it.

    Examples:
        clipmill shows resume chess-weekly
    """
    _set_suspended(name, False, output, state, api_url)


def _set_suspended(
    name: str, suspended: bool, output: Format, state: Path | None, api_url: str | None
) -> None:
    with connected(api_url, state) as client:
        show = _find(client, name)
        spec = show.spec.model_copy(update={"suspend": suspended})
        _print_show(client.shows.edit(show.id, spec), output)


def delete_show(
    name: ShowNameArgument, state: StateOption = None, api_url: ApiUrlOption = None
) -> None:
    """Delete a show and cancel its episodes; finished videos are kept.

    Examples:
        clipmill shows delete chess-weekly
    """
    with connected(api_url, state) as client:
        show = _find(client, name)
        client.shows.delete(show.id)
    terminal.console().print(f"deleted: {show.id}")


def approve(
    compilation_id: CompilationIdArgument,
    output: OutputOption = Format.TEXT,
    api_url: RequiredApiUrlOption = None,
) -> None:
    """Approve a draft, such as an episode that waits for it: it is rendered in full quality.

    Examples:
        clipmill approve chess-weekly-20270108-1800
        clipmill approve c-0123456789abcdef
    """
    with user_client(api_url) as client:
        view = client.shows.approve(watching.find_compilation(client, compilation_id).id)
    if output is Format.JSON:
        print_json(terminal.console(), view)
    else:
        terminal.console().print(f"approved: {view.id}, generation {view.generation}")
