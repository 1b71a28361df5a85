"""All commands of `clipmill` under one roof."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable

import typer

from clipmill_cli.commands import (
    account_commands,
    admin_commands,
    compilation_commands,
    keygen_command,
    media_commands,
    render_commands,
    serve_command,
    timeline_commands,
)
from clipmill_cli.commands.options import Format, Output
from clipmill_cli.output.failures import Guarded, page

ABOUT = """A list of clips in, one finished video out.

A manifest renders on this machine (render, plan), or at an API (submit and what follows), whose
address is CLIPMILL_API_URL and whose key is CLIPMILL_API_KEY.

Exit codes: 0 complete, 3 complete but degraded, 1 failed, 2 bad manifest or usage,
130 interrupted.

    clipmill render friday.yaml -o out/
    clipmill submit friday.yaml --wait
    clipmill validate clip.mp4
"""
VERSION = """Print the version.

    clipmill version
"""
app = typer.Typer(
    cls=Guarded,
    help=page(ABOUT),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def version(output: Output = Format.TEXT) -> None:
    """The command; its help is VERSION."""
    found = importlib.metadata.version("clipmill")
    typer.echo(f'{{"version": "{found}"}}' if output is Format.JSON else f"clipmill {found}")


def _add(to: typer.Typer, name: str, command: Callable[..., None], about: str) -> None:
    first = about.split("\n", 1)[0]
    to.command(name, help=page(about), short_help=first)(command)


def _group(name: str, about: str) -> typer.Typer:
    def bare(ctx: typer.Context) -> None:
        if ctx.invoked_subcommand is None:
            typer.echo(ctx.get_help())
            raise typer.Exit(2)

    found = typer.Typer(rich_markup_mode=None)
    found.callback(invoke_without_command=True, help=page(about))(bare)
    app.add_typer(found, name=name)
    return found


_add(app, "render", render_commands.render, render_commands.RENDER)
_add(app, "plan", render_commands.plan, render_commands.PLAN)
_add(app, "validate", media_commands.validate, media_commands.VALIDATE)
_add(app, "submit", compilation_commands.submit, compilation_commands.SUBMIT)
_add(app, "edit", compilation_commands.edit, compilation_commands.EDIT)
_add(app, "list", compilation_commands.list_all, compilation_commands.LIST)
_add(app, "get", compilation_commands.get, compilation_commands.GET)
_add(app, "watch", compilation_commands.watch, compilation_commands.WATCH)
_add(app, "cancel", compilation_commands.cancel, compilation_commands.CANCEL)
_add(app, "download", compilation_commands.download, compilation_commands.DOWNLOAD)
_add(app, "export", timeline_commands.export, timeline_commands.EXPORT)
_add(app, "import", timeline_commands.import_file, timeline_commands.IMPORT)
_add(app, "quota", account_commands.quota, account_commands.QUOTA)
_add(app, "usage", account_commands.usage, account_commands.USAGE)
_add(app, "serve", serve_command.serve, serve_command.SERVE)
_add(app, "keygen", keygen_command.keygen, keygen_command.KEYGEN)
_add(app, "version", version, VERSION)

_media = _group("media", media_commands.MEDIA)
_add(_media, "upload", media_commands.upload, media_commands.UPLOAD)
_add(_media, "list", media_commands.list_all, media_commands.LIST)
_add(_media, "used-in", media_commands.used_in, media_commands.USED_IN)
_add(_media, "delete", media_commands.delete, media_commands.DELETE)

_admin = _group("admin", admin_commands.ADMIN)
_add(_admin, "users", admin_commands.users, admin_commands.USERS)
_add(_admin, "user", admin_commands.user, admin_commands.USER)
_add(_admin, "key", admin_commands.key, admin_commands.KEY)
_add(_admin, "tiers", admin_commands.tiers, admin_commands.TIERS)
_add(_admin, "tier", admin_commands.tier, admin_commands.TIER)
