"""The tree of all commands. A command's help is its docstring."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from typing import Annotated

import typer

from clipmill_cli.commands import (
    account_commands,
    admin_commands,
    compilation_commands,
    credential_commands,
    fsck_command,
    init_command,
    keygen_command,
    local_show_commands,
    login_commands,
    media_commands,
    render_commands,
    serve_command,
    show_commands,
    timeline_commands,
    webhook_commands,
)
from clipmill_cli.commands.migrating import import_legacy_command
from clipmill_cli.commands.options import Format, OutputOption
from clipmill_cli.commands.sharing import link_commands
from clipmill_cli.installed_versions import installed_versions, version_text
from clipmill_cli.output.failures import ErrorHandlingGroup

APP_HELP = """Turn a list of clips into finished videos.

`render` works on this machine. The other commands use the API at CLIPMILL_API_URL with the key in
CLIPMILL_API_KEY, or that of `clipmill login`. If no API is given, they use the state that local
renders keep, through the `clipmill serve` that runs on it, if one does.

Exit codes: 0 succeeded, 1 failed, 2 invalid manifest or usage, 3 succeeded but degraded,
130 interrupted.

Examples:
    clipmill init saturday.yaml
    clipmill render friday.yaml -o out/
    clipmill submit friday.yaml --wait
    clipmill validate clip.mp4
"""
MEDIA_HELP = """Manage the media library.

It holds clips, intros, outros, bumpers, transition clips, music and images.

Examples:
    clipmill media upload intro.mp4 --kind intro
    clipmill media list
    clipmill media delete m-0123456789abcdef
"""
CREDENTIALS_HELP = """Manage secrets for platforms and proxies.

They are stored encrypted, used by tasks of your compilations only, and never shown.

Examples:
    clipmill credentials set my-bot --kind discord --file bot-token.txt
    clipmill credentials list
    clipmill credentials delete my-bot
"""
WEBHOOKS_HELP = """Manage notifications to receivers, chats and mail.

Requests are signed by the Standard Webhooks scheme and repeated for a day: docs/notifications.md.

Examples:
    clipmill webhooks add https://example.org/hooks --name my-hook
    clipmill webhooks test my-hook
    clipmill webhooks deliveries my-hook
"""
LINKS_HELP = """Manage links by which anybody can read an output until they end.

Examples:
    clipmill links create friday main --expires 1d
    clipmill links list friday
    clipmill links revoke friday l-0123456789abcdef
"""
SHOW_HELP = """Make an episode of a show on this machine.

Examples:
    clipmill show run weekly.yaml -o out/
"""
SHOWS_HELP = """Manage the shows of an API: compilations that are made again by a schedule.

A show is created by `clipmill submit` of its manifest, or by `kubectl apply`.

Examples:
    clipmill shows list
    clipmill shows episodes chess-weekly
"""
ADMIN_HELP = """Manage users, their keys, and tiers. Needs CLIPMILL_ADMIN_KEY.

Examples:
    clipmill admin user ada --tier Pro
    clipmill admin key ada
    clipmill admin tier Pro --storage-limit 50GiB
"""


def version(output: OutputOption = Format.TEXT) -> None:
    """Print the versions of Clipmill and of its yt-dlp.

    Examples:
        clipmill version
    """
    typer.echo(json.dumps(installed_versions()) if output is Format.JSON else version_text())


def _print_version(show: bool) -> None:
    if show:
        version()
        raise typer.Exit


def _help_text(text: str) -> str:
    """Return a help text in which paragraphs with indented lines are not rewrapped."""
    paragraphs = text.strip("\n").split("\n\n")
    return "\n\n".join(f"\b\n{part}" if "\n  " in part else part for part in paragraphs)


def _add(group: typer.Typer, name: str, command: Callable[..., None]) -> None:
    text = inspect.getdoc(command) or ""
    group.command(name, help=_help_text(text), short_help=text.split("\n", 1)[0])(command)


def _add_group(name: str, text: str) -> typer.Typer:
    def print_help(ctx: typer.Context) -> None:
        if ctx.invoked_subcommand is None:
            typer.echo(ctx.get_help())
            raise typer.Exit(2)

    group = typer.Typer(rich_markup_mode=None)
    group.callback(invoke_without_command=True, help=_help_text(text))(print_help)
    app.add_typer(group, name=name)
    return group


app = typer.Typer(
    cls=ErrorHandlingGroup,
    help=_help_text(APP_HELP),
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def _app(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Print the version."
        ),
    ] = False,
) -> None: ...


_add(app, "init", init_command.init)
_add(app, "render", render_commands.render)
_add(app, "plan", render_commands.plan)
_add(app, "validate", media_commands.validate)
_add(app, "submit", compilation_commands.submit)
_add(app, "edit", compilation_commands.edit)
_add(app, "list", compilation_commands.list_compilations)
_add(app, "get", compilation_commands.get)
_add(app, "manifest", compilation_commands.print_manifest)
_add(app, "watch", compilation_commands.watch)
_add(app, "cancel", compilation_commands.cancel)
_add(app, "delete", compilation_commands.delete)
_add(app, "download", compilation_commands.download)
_add(app, "approve", show_commands.approve)
_add(app, "discover", local_show_commands.discover)
_add(app, "export", timeline_commands.export)
_add(app, "import", timeline_commands.import_timeline)
_add(app, "quota", account_commands.quota)
_add(app, "usage", account_commands.usage)
_add(app, "serve", serve_command.serve)
_add(app, "login", login_commands.login)
_add(app, "logout", login_commands.logout)
_add(app, "dashboard", login_commands.dashboard)
_add(app, "keygen", keygen_command.keygen)
_add(app, "version", version)

_media = _add_group("media", MEDIA_HELP)
_add(_media, "upload", media_commands.upload)
_add(_media, "cancel-upload", media_commands.cancel_upload)
_add(_media, "list", media_commands.list_media)
_add(_media, "used-in", media_commands.used_in)
_add(_media, "delete", media_commands.delete)

_credentials = _add_group("credentials", CREDENTIALS_HELP)
_add(_credentials, "set", credential_commands.set_credential)
_add(_credentials, "list", credential_commands.list_credentials)
_add(_credentials, "delete", credential_commands.delete_credential)

_webhooks = _add_group("webhooks", WEBHOOKS_HELP)
_add(_webhooks, "add", webhook_commands.add)
_add(_webhooks, "list", webhook_commands.list_webhooks)
_add(_webhooks, "delete", webhook_commands.delete)
_add(_webhooks, "enable", webhook_commands.enable)
_add(_webhooks, "test", webhook_commands.send_test)
_add(_webhooks, "deliveries", webhook_commands.deliveries)
_add(_webhooks, "replay", webhook_commands.replay)

_links = _add_group("links", LINKS_HELP)
_add(_links, "create", link_commands.create)
_add(_links, "list", link_commands.list_links)
_add(_links, "revoke", link_commands.revoke)

_show = _add_group("show", SHOW_HELP)
_add(_show, "run", local_show_commands.run_local_show)

_shows = _add_group("shows", SHOWS_HELP)
_add(_shows, "list", show_commands.list_shows)
_add(_shows, "get", show_commands.get_show)
_add(_shows, "episodes", show_commands.episodes)
_add(_shows, "run", show_commands.run_show)
_add(_shows, "suspend", show_commands.suspend)
_add(_shows, "resume", show_commands.resume)
_add(_shows, "delete", show_commands.delete_show)

_admin = _add_group("admin", ADMIN_HELP)
_add(_admin, "users", admin_commands.users)
_add(_admin, "user", admin_commands.user)
_add(_admin, "delete-user", admin_commands.delete_user)
_add(_admin, "key", admin_commands.key)
_add(_admin, "keys", admin_commands.keys)
_add(_admin, "revoke", admin_commands.revoke)
_add(_admin, "tiers", admin_commands.tiers)
_add(_admin, "tier", admin_commands.tier)
_add(_admin, "rotate-credentials", credential_commands.rotate)
_add(_admin, "fsck", fsck_command.fsck)
_add(_admin, "import-legacy", import_legacy_command.import_legacy)
