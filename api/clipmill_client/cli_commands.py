"""All commands of `clipmill` under one roof."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable

import typer

from clipmill_client import (
    cli_account,
    cli_admin,
    cli_compilations,
    cli_keys,
    cli_local,
    cli_media,
    cli_serve,
    cli_timeline,
)
from clipmill_client.cli_faults import Guarded, page
from clipmill_client.cli_options import Format, Output

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


_add(app, "render", cli_local.render, cli_local.RENDER)
_add(app, "plan", cli_local.plan, cli_local.PLAN)
_add(app, "validate", cli_media.validate, cli_media.VALIDATE)
_add(app, "submit", cli_compilations.submit, cli_compilations.SUBMIT)
_add(app, "edit", cli_compilations.edit, cli_compilations.EDIT)
_add(app, "list", cli_compilations.list_all, cli_compilations.LIST)
_add(app, "get", cli_compilations.get, cli_compilations.GET)
_add(app, "watch", cli_compilations.watch, cli_compilations.WATCH)
_add(app, "cancel", cli_compilations.cancel, cli_compilations.CANCEL)
_add(app, "download", cli_compilations.download, cli_compilations.DOWNLOAD)
_add(app, "export", cli_timeline.export, cli_timeline.EXPORT)
_add(app, "import", cli_timeline.import_file, cli_timeline.IMPORT)
_add(app, "quota", cli_account.quota, cli_account.QUOTA)
_add(app, "usage", cli_account.usage, cli_account.USAGE)
_add(app, "serve", cli_serve.serve, cli_serve.SERVE)
_add(app, "keygen", cli_keys.keygen, cli_keys.KEYGEN)
_add(app, "version", version, VERSION)

_media = _group("media", cli_media.MEDIA)
_add(_media, "upload", cli_media.upload, cli_media.UPLOAD)
_add(_media, "list", cli_media.list_all, cli_media.LIST)
_add(_media, "used-in", cli_media.used_in, cli_media.USED_IN)
_add(_media, "delete", cli_media.delete, cli_media.DELETE)

_admin = _group("admin", cli_admin.ADMIN)
_add(_admin, "users", cli_admin.users, cli_admin.USERS)
_add(_admin, "user", cli_admin.user, cli_admin.USER)
_add(_admin, "key", cli_admin.key, cli_admin.KEY)
_add(_admin, "tiers", cli_admin.tiers, cli_admin.TIERS)
_add(_admin, "tier", cli_admin.tier, cli_admin.TIER)
