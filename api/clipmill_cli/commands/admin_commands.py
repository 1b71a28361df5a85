"""`admin`: users, their keys, and tiers."""

from __future__ import annotations

import json
import re
from typing import Annotated

import typer

from clipmill.protocol import TierView, UserView
from clipmill.spec import parse_duration
from clipmill_cli.commands.options import (
    AdminApiUrlOption,
    Format,
    OutputOption,
    print_json,
    print_list,
)
from clipmill_cli.endpoints.connections import admin_client
from clipmill_cli.output import listings, terminal

_BYTE_UNITS = {
    "b": 1,
    **{f"{prefix}b": 1000**power for power, prefix in enumerate("kmgt", 1)},
    **{f"{prefix}ib": 1024**power for power, prefix in enumerate("kmgt", 1)},
}
_NO_UNITS = {"": 1}
UserArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of the user.")]


def _parse_limit(text: str, units: dict[str, int]) -> int | None:
    """Return the number in `none` (None), or in a whole number with one of the units.

    A limit without its unit is refused: nobody means six bytes by `6`.
    """
    text = text.strip().lower()
    if text == "none":
        return None
    match = re.fullmatch(r"([0-9]{1,15})([a-z]*)", text)
    if match and int(match[1]) == 0:
        return 0
    if not match or match[2] not in units:
        names = ", ".join(unit for unit in units if unit)
        with_units = f" with its unit, {names}" if names else ""
        raise typer.BadParameter(f"{text!r} is neither `none` nor a whole number{with_units}")
    return int(match[1]) * units[match[2]]


def parse_seconds(text: str) -> int | None:
    """Return whole seconds of `none` (None), or of a duration with its units: `6h`, `1h30m`.

    A plain number is refused, since `6` is read as six hours by people and as six seconds here.
    """
    text = text.strip().lower()
    if text == "none":
        return None
    if text == "0":
        return 0
    try:
        return int(parse_duration(text))
    except ValueError:
        detail = f"{text!r} is neither `none` nor a length with its unit, such as 6h, 90m or 30s"
        raise typer.BadParameter(detail) from None


def users(output: OutputOption = Format.TEXT, api_url: AdminApiUrlOption = None) -> None:
    """List users with their tiers.

    Examples:
        clipmill admin users
    """
    with admin_client(api_url) as client:
        views = client.admin.users()
    print_list(output, views, listings.show_users)


def user(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Lower-case letters, digits and dashes.")
    ],
    tier: Annotated[
        str | None,
        typer.Option(
            help="A tier, see `clipmill admin tiers`. Default: Free for a new user; an existing"
            " user keeps theirs."
        ),
    ] = None,
    output: OutputOption = Format.TEXT,
    api_url: AdminApiUrlOption = None,
) -> None:
    """Create a user, or move one to another tier.

    Examples:
        clipmill admin user ada --tier Pro
    """
    construct = UserView.model_construct
    request = construct(name=name, tier=tier) if tier else construct(name=name)
    with admin_client(api_url) as client:
        view = client.admin.put_user(request)
    if output is Format.JSON:
        print_json(terminal.console(), view)
    else:
        terminal.console().print(terminal.plain(f"user {view.name}: tier {view.tier}"))


def parse_lifetime(text: str | None) -> int | None:
    """Return the seconds of a key's lifetime: days, or a duration with its units."""
    if text is None:
        return None
    days = re.fullmatch(r"([0-9]{1,4})d", text.strip().lower())
    return int(days[1]) * 86_400 if days else parse_seconds(text)


def delete_user(name: UserArgument, api_url: AdminApiUrlOption = None) -> None:
    """Delete a user with keys, media, compilations and usage.

    A user with an active compilation is refused. The bytes of the media are kept for the grace
    period of deletions.

    Examples:
        clipmill admin delete-user ada
    """
    with admin_client(api_url) as client:
        client.admin.delete_user(name)
    terminal.console().print(terminal.plain(f"deleted {name}"))


def keys(
    name: UserArgument, output: OutputOption = Format.TEXT, api_url: AdminApiUrlOption = None
) -> None:
    """List the keys of a user: created, last used, expiry. The keys themselves are not stored.

    Examples:
        clipmill admin keys ada
    """
    with admin_client(api_url) as client:
        views = client.admin.keys(name)
    print_list(output, views, listings.show_keys)


def revoke(
    name: UserArgument,
    key_id: Annotated[
        str, typer.Argument(metavar="KEY_ID", help="Id of the key, see `clipmill admin keys`.")
    ],
    api_url: AdminApiUrlOption = None,
) -> None:
    """Revoke a key of a user at once.

    Examples:
        clipmill admin revoke ada s-0123456789abcdef
    """
    if not re.fullmatch(r"s-[a-z0-9-]{4,40}", key_id):
        raise typer.BadParameter(f"{key_id[:80]!r} is not of the form s-0123456789abcdef")
    with admin_client(api_url) as client:
        client.admin.revoke_key(name, key_id)
    terminal.console().print(terminal.plain(f"revoked {key_id}"))


def key(
    name: UserArgument,
    expires: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Lifetime, such as 30d or 12h. Default: no expiry."),
    ] = None,
    output: OutputOption = Format.TEXT,
    api_url: AdminApiUrlOption = None,
) -> None:
    """Create a key for a user and print it. It cannot be shown again.

    Examples:
        clipmill admin key ada --expires 90d
        export CLIPMILL_API_KEY=$(clipmill admin key ada)
    """
    with admin_client(api_url) as client:
        created = client.admin.create_key(name, expires_in_s=parse_lifetime(expires))
    as_json = output is Format.JSON
    typer.echo(json.dumps({"user": name, "key": created}) if as_json else created)


def tiers(output: OutputOption = Format.TEXT, api_url: AdminApiUrlOption = None) -> None:
    """List tiers with their limits.

    Examples:
        clipmill admin tiers
    """
    with admin_client(api_url) as client:
        views = client.admin.tiers()
    print_list(output, views, listings.show_tiers)


def tier(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the tier.")],
    storage_limit: Annotated[
        str | None, typer.Option(metavar="BYTES", help="`none`, or e.g. 500MB, 50GiB.")
    ] = None,
    render_limit: Annotated[
        str | None, typer.Option(metavar="TIME", help="Per month: `none`, or e.g. 90m, 6h.")
    ] = None,
    max_clips: Annotated[
        str | None, typer.Option(metavar="NUMBER", help="Per compilation: `none`, or e.g. 100.")
    ] = None,
    watermark: Annotated[bool | None, typer.Option(help="Render a watermark.")] = None,
    output: OutputOption = Format.TEXT,
    api_url: AdminApiUrlOption = None,
) -> None:
    """Create a tier, or change the given limits of one. `none` means unlimited.

    Examples:
        clipmill admin tier Pro --storage-limit 50GiB
        clipmill admin tier Team --render-limit 6h --storage-limit none --max-clips 100
    """
    changes: dict[str, object] = {}
    if storage_limit is not None:
        changes["storage_limit_bytes"] = _parse_limit(storage_limit, _BYTE_UNITS)
    if render_limit is not None:
        changes["render_limit_seconds"] = parse_seconds(render_limit)
    if max_clips is not None:
        changes["max_clips"] = _parse_limit(max_clips, _NO_UNITS)
    if watermark is not None:
        changes["apply_watermark"] = watermark
    with admin_client(api_url) as client:
        existing = {view.name: view for view in client.admin.tiers()}
        current = existing.get(name) or TierView.model_construct(name=name)
        view = client.admin.put_tier(current.model_copy(update=changes))
    if output is Format.JSON:
        print_json(terminal.console(), view)
    else:
        listings.show_tiers(terminal.console(), [view])
