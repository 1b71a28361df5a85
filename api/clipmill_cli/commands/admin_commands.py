"""`admin`: users, their keys, and tiers."""

from __future__ import annotations

import json
import re
from typing import Annotated

import typer

from clipmill.protocol import TierView, UserView
from clipmill_cli.commands.options import ApiUrl, Format, Output, administrator, print_json
from clipmill_cli.output import listings, terminal

ADMIN = """Users, their keys, and tiers. Needs CLIPMILL_ADMIN_KEY.

    clipmill admin user ada --tier Pro
    clipmill admin key ada
    clipmill admin tier Pro --storage-limit 50GiB
"""
USERS = """List users with their tiers.

    clipmill admin users
"""
USER = """Create a user, or move one to another tier.

    clipmill admin user ada --tier Pro
"""
KEY = """Make a key for a user. It is shown once.

    clipmill admin key ada
    export CLIPMILL_API_KEY=$(clipmill admin key ada)
"""
TIERS = """List tiers with their limits.

    clipmill admin tiers
"""
TIER = """Create a tier, or change the limits that are given. `none` is no limit, 0 is nothing.

    clipmill admin tier Pro --storage-limit 50GiB
    clipmill admin tier Team --render-limit 6h --storage-limit none --max-clips 100
"""
_UNITS = {"": 1, "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}
_TIMES = {"": 1, "s": 1, "m": 60, "h": 3600}


def limit(text: str, units: dict[str, int]) -> int | None:
    """`none`, or a number with one of these units."""
    found = re.fullmatch(r"([0-9]{1,15})([a-z]*)", text.strip().lower())
    if text.strip().lower() == "none":
        return None
    if not found or found[2] not in units:
        known = ", ".join(unit for unit in units if unit)
        raise typer.BadParameter(f"{text!r} is neither `none` nor a whole number with {known}")
    return int(found[1]) * units[found[2]]


def users(output: Output = Format.TEXT, api_url: ApiUrl = None) -> None:
    """The command; its help is USERS."""
    with administrator(api_url) as client:
        found = client.admin.users()
    if output is Format.JSON:
        print_json(terminal.console(), *found, many=True)
    else:
        rows = [(one.name, one.tier) for one in found]
        terminal.console().print(terminal.table("Users", ("name", "tier"), rows))


def user(
    name: Annotated[str, typer.Argument(help="Lower-case letters, digits and dashes.")],
    tier: Annotated[str, typer.Option(help="One of `clipmill admin tiers`.")] = "Free",
    output: Output = Format.TEXT,
    api_url: ApiUrl = None,
) -> None:
    """The command; its help is USER."""
    with administrator(api_url) as client:
        found = client.admin.put_user(UserView.model_construct(name=name, tier=tier))
    if output is Format.JSON:
        print_json(terminal.console(), found)
    else:
        terminal.console().print(terminal.plain(f"{found.name} is on the tier {found.tier}"))


def key(
    name: Annotated[str, typer.Argument(help="The user.")],
    output: Output = Format.TEXT,
    api_url: ApiUrl = None,
) -> None:
    """The command; its help is KEY."""
    with administrator(api_url) as client:
        found = client.admin.mint(name)
    typer.echo(json.dumps({"user": name, "key": found}) if output is Format.JSON else found)


def tiers(output: Output = Format.TEXT, api_url: ApiUrl = None) -> None:
    """The command; its help is TIERS."""
    with administrator(api_url) as client:
        found = client.admin.tiers()
    if output is Format.JSON:
        print_json(terminal.console(), *found, many=True)
    else:
        listings.show_tiers(terminal.console(), found)


def tier(
    name: Annotated[str, typer.Argument(help="The tier.")],
    storage_limit: Annotated[
        str | None, typer.Option(metavar="BYTES", help="`none`, or e.g. 500MiB, 50GiB.")
    ] = None,
    render_limit: Annotated[
        str | None, typer.Option(metavar="TIME", help="Per month: `none`, or e.g. 90m, 6h.")
    ] = None,
    max_clips: Annotated[
        str | None, typer.Option(metavar="NUMBER", help="In one compilation; `none`: no limit.")
    ] = None,
    watermark: Annotated[bool | None, typer.Option(help="Mark what is rendered.")] = None,
    output: Output = Format.TEXT,
    api_url: ApiUrl = None,
) -> None:
    """The command; its help is TIER."""
    change: dict[str, object] = {}
    if storage_limit is not None:
        change["storage_limit_bytes"] = limit(storage_limit, _UNITS)
    if render_limit is not None:
        change["render_limit_seconds"] = limit(render_limit, _TIMES)
    if max_clips is not None:
        change["max_clips"] = limit(max_clips, {"": 1})
    if watermark is not None:
        change["apply_watermark"] = watermark
    with administrator(api_url) as client:
        known = {one.name: one for one in client.admin.tiers()}
        before = known.get(name) or TierView.model_construct(name=name)
        found = client.admin.put_tier(before.model_copy(update=change))
    if output is Format.JSON:
        print_json(terminal.console(), found)
    else:
        listings.show_tiers(terminal.console(), [found])
