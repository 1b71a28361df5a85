"""`quota` and `usage`: the limits of an owner, and the render time used."""

from __future__ import annotations

from clipmill_cli.commands.options import (
    ApiUrlOption,
    Format,
    OutputOption,
    StateOption,
    print_json,
    print_list,
)
from clipmill_cli.endpoints.connections import connected
from clipmill_cli.output import listings, terminal


def quota(
    output: OutputOption = Format.TEXT, state: StateOption = None, api_url: ApiUrlOption = None
) -> None:
    """Show your tier, its limits, and what is used and reserved of them.

    Examples:
        clipmill quota
        clipmill quota -o json
    """
    with connected(api_url, state) as client:
        account = client.account()
    if output is Format.JSON:
        print_json(terminal.console(), account)
    else:
        listings.show_account(terminal.console(), account)


def usage(
    output: OutputOption = Format.TEXT, state: StateOption = None, api_url: ApiUrlOption = None
) -> None:
    """Show the render time of each finished compilation, newest first.

    Examples:
        clipmill usage
        clipmill usage -o json
    """
    with connected(api_url, state) as client:
        usages = client.usage()
    print_list(output, usages, listings.show_usage)
