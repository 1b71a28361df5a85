"""`quota` and `usage`: what a person may use, and has used."""

from __future__ import annotations

from clipmill_cli.commands.options import ApiUrl, Format, Output, State, connected, print_json
from clipmill_cli.output import listings, terminal

QUOTA = """Show your tier, its limits, and what is used and reserved of them.

    clipmill quota
    clipmill quota -o json
"""
USAGE = """Show the render time of each finished compilation, newest first.

    clipmill usage
    clipmill usage -o json
"""


def quota(output: Output = Format.TEXT, state: State = None, api_url: ApiUrl = None) -> None:
    """The command; its help is QUOTA."""
    with connected(api_url, state) as client:
        found = client.account()
    if output is Format.JSON:
        print_json(terminal.console(), found)
    else:
        listings.show_account(terminal.console(), found)


def usage(output: Output = Format.TEXT, state: State = None, api_url: ApiUrl = None) -> None:
    """The command; its help is USAGE."""
    with connected(api_url, state) as client:
        found = client.usage()
    if output is Format.JSON:
        print_json(terminal.console(), *found, many=True)
    else:
        listings.show_usage(terminal.console(), found)
