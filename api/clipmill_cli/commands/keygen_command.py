"""`keygen`: keys that the API accepts."""

from __future__ import annotations

import json

import typer

from clipmill_cli.commands.options import Format, Output

KEYGEN = """Make fresh keys, and print them as a shell reads them.

CLIPMILL_ADMIN_KEY and CLIPMILL_OPERATOR_KEY are what `clipmill serve` asks for;
CLIPMILL_API_KEY becomes the key of its first user, `local`. Each has 256 random bits, and
nothing is stored: keep what you want to use again.

    eval "$(clipmill keygen)"
    clipmill keygen >keys.env
    clipmill keygen -o json
"""


def keygen(output: Output = Format.TEXT) -> None:
    """The command; its help is KEYGEN."""
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
