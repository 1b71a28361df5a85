"""`keygen`: random keys for a new API."""

from __future__ import annotations

import json

import typer

from clipmill_cli.commands.options import Format, OutputOption


def keygen(output: OutputOption = Format.TEXT) -> None:
    """Generate the keys for `clipmill serve`, and print them as shell commands.

    CLIPMILL_ADMIN_KEY and CLIPMILL_OPERATOR_KEY are required by `clipmill serve`.
    CLIPMILL_API_KEY becomes the key of its first user, `local`. Each key has 256 random bits.
    The keys are not stored anywhere.

    Examples:
        eval "$(clipmill keygen)"
        clipmill keygen >keys.env
        clipmill keygen -o json
    """
    from clipmill_api.http.authentication import new_key  # noqa: PLC0415

    keys = {
        "CLIPMILL_ADMIN_KEY": new_key("admin"),
        "CLIPMILL_OPERATOR_KEY": new_key("operator"),
        "CLIPMILL_API_KEY": new_key("user"),
    }
    if output is Format.JSON:
        typer.echo(json.dumps(keys, indent=2))
        return
    for name, key in keys.items():
        typer.echo(f"export {name}={key}")
